package io.quantadb.node.testing;

import static org.awaitility.Awaitility.await;

import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pgwire.PgUnreachable;
import io.quantadb.node.pgwire.QueryResult;
import io.quantadb.node.wal.FileOwner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A real server for one test, on a unix socket in a short directory of its own. As root it runs as user
 * {@code postgres}, otherwise as the tests' user. {@link #close} kills what was started, by its process id, and removes
 * the directory. Not thread-safe.
 */
public final class TestingPostgres implements AutoCloseable {
    public static final Duration WAIT = Duration.ofSeconds(30);

    private static final int PORT = 5432;

    private final PostgresBinaries binaries;
    private final Path home;
    private final Path data;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final Thread hook = new Thread(this::killAll, "testing-postgres-end");
    private @Nullable Process process;

    private TestingPostgres(PostgresBinaries binaries, Path home, Path data) {
        this.binaries = binaries;
        this.home = home;
        this.data = data;
        settings.put("listen_addresses", "");
        settings.put("unix_socket_directories", home.toString());
        settings.put("port", Integer.toString(PORT));
        settings.put("fsync", "off");
        settings.put("shared_buffers", "16MB");
        settings.put("max_connections", "30");
        settings.put("wal_level", "replica");
        settings.put("wal_log_hints", "on");
        settings.put("log_line_prefix", "%m [%p] ");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * A new cluster, not started. All clusters of one version share one system identifier (copies of one initdb).
     *
     * @param initdbOptions such as {@code --wal-segsize=1}; letters, digits, '-' and '=' only
     */
    public static TestingPostgres create(PostgresVersion version, String... initdbOptions) {
        PostgresBinaries binaries = PostgresBinaries.require(version);
        Path home = newHome();
        Path data = home.resolve("data");
        OsUser.SERVER.run(List.of("cp", "-a", binaries.template(initdbOptions).toString(), data.toString()));
        return new TestingPostgres(binaries, home, data);
    }

    /** A new cluster by an initdb of its own: with its own system identifier, and slower; {@code options} for initdb. */
    public static TestingPostgres initdb(PostgresVersion version, String... options) {
        PostgresBinaries binaries = PostgresBinaries.require(version);
        Path home = newHome();
        Path data = home.resolve("data");
        binaries.initdb(data, options);
        return new TestingPostgres(binaries, home, data);
    }

    /** A server over a data directory that does not exist yet (the target of a clone, say). */
    public static TestingPostgres empty(PostgresVersion version) {
        Path home = newHome();
        return new TestingPostgres(PostgresBinaries.require(version), home, home.resolve("data"));
    }

    private static Path newHome() {
        try {
            Path home = Files.createTempDirectory("qpg");
            OsUser.SERVER.own(home);
            return home;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Given to the server on its command line at the next start. */
    public TestingPostgres set(String name, String value) {
        settings.put(name, value);
        return this;
    }

    public Path dataDirectory() {
        return data;
    }

    /** The directory of the socket and the log; owned by the server's user. */
    public Path home() {
        return home;
    }

    /** A new directory of the server's user beside the data directory. */
    public Path newDirectory(String name) {
        Path made = home.resolve(name);
        OsUser.SERVER.run(List.of("mkdir", made.toString()));
        return made;
    }

    public Path socket() {
        return PgConnection.socketIn(home, PORT);
    }

    /** A libpq connection string for {@code primary_conninfo} of another server of this test. */
    public String conninfo(String applicationName) {
        return "host=%s port=%d user=postgres application_name=%s".formatted(home, PORT, applicationName);
    }

    public Path binDirectory() {
        return binaries.bin();
    }

    /** Who owns the server's files, or null when that is the tests' own user. */
    public static @Nullable FileOwner owner() {
        return OsUser.SERVER.owner();
    }

    /** Starts and waits until it answers (a standby: until it is consistent). */
    public TestingPostgres start() {
        launch();
        awaitReady();
        return this;
    }

    /** Starts without waiting. */
    public void launch() {
        requireStopped();
        List<String> command = new ArrayList<>(OsUser.SERVER.prefix());
        command.add(binaries.bin().resolve("postgres").toString());
        command.add("-D");
        command.add(data.toString());
        settings.forEach((name, value) -> {
            command.add("-c");
            command.add(name + "=" + value);
        });
        try {
            process = new ProcessBuilder(command)
                    .directory(home.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path logFile() {
        return home.resolve("log");
    }

    /** Waits until a session can be opened. */
    public void awaitReady() {
        long end = System.nanoTime() + WAIT.toNanos();
        while (true) {
            if (!isRunning()) {
                throw new AssertionError("PostgreSQL ended while starting:\n" + log());
            }
            try (PgConnection c = connect()) {
                c.query("SELECT 1", WAIT);
                return;
            } catch (PgUnreachable | PgError e) {
                if (System.nanoTime() > end) {
                    throw new AssertionError("PostgreSQL did not become ready:\n" + log(), e);
                }
                pause();
            }
        }
    }

    private void pause() {
        try {
            // Ends early when the server does.
            server().waitFor(10, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    public boolean isRunning() {
        Process known = process;
        return known != null && known.isAlive();
    }

    /** The postmaster's process id. */
    public long pid() {
        return server().pid();
    }

    /** A fast shutdown, and waits for it. */
    public void stop() {
        signal("INT");
        awaitEnd();
    }

    /** {@code kill -9} for the postmaster and all its children at once; waits until they are gone. */
    public void kill9() {
        killAll();
        awaitEnd();
    }

    /** Sends the postmaster a signal such as {@code HUP}. */
    public void signal(String name) {
        OsUser.TESTS.run(List.of("kill", "-" + name, Long.toString(pid())));
    }

    private void awaitEnd() {
        try {
            if (!server().waitFor(WAIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("PostgreSQL did not stop:\n" + log());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private void killAll() {
        Process known = process;
        if (known == null) {
            return;
        }
        if (known.isAlive()) {
            // Stopped first, so that it starts no child that is missed.
            OsUser.TESTS.run(List.of("sh", "-c", "kill -STOP %d || true".formatted(known.pid())));
        }
        List<ProcessHandle> tree = new ArrayList<>(known.descendants().toList());
        tree.addFirst(known.toHandle());
        tree.forEach(ProcessHandle::destroyForcibly);
        await().atMost(WAIT)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> tree.stream().noneMatch(TestingPostgres::runs));
    }

    /** False also for a dead process whose exit status nobody has fetched yet: it holds nothing any more. */
    private static boolean runs(ProcessHandle handle) {
        try {
            String stat = Files.readString(Path.of("/proc/%d/stat".formatted(handle.pid())));
            return handle.isAlive() && stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException e) {
            return false;
        }
    }

    /** A session as the superuser in database postgres. */
    public PgConnection connect() {
        return connect(Map.of());
    }

    /** A session with further start-up parameters. */
    public PgConnection connect(Map<String, String> more) {
        Map<String, String> startup = new LinkedHashMap<>(Map.of("user", "postgres", "database", "postgres"));
        startup.putAll(more);
        return PgConnection.connect(socket(), startup, WAIT);
    }

    /** A physical replication session. */
    public PgConnection connectReplication() {
        return connect(Map.of("replication", "true"));
    }

    /** One statement on a session of its own. */
    public QueryResult query(String sql) {
        try (PgConnection c = connect()) {
            return c.query(sql, WAIT);
        }
    }

    /** Runs a program of the server's bin directory as the server's user and gives what it printed. */
    public String tool(String program, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(binaries.bin().resolve(program).toString());
        command.addAll(List.of(arguments));
        return OsUser.SERVER.run(command);
    }

    /** Makes the data directory that of a standby of {@code primary}, for the next start. */
    public TestingPostgres standbyOf(TestingPostgres primary, String applicationName) {
        set("primary_conninfo", primary.conninfo(applicationName));
        return standby();
    }

    /** The same of no primary yet; see {@link #follow}. */
    public TestingPostgres standby() {
        set("wal_retrieve_retry_interval", "20ms");
        set("hot_standby", "on");
        OsUser.SERVER.run(List.of("touch", data.resolve("standby.signal").toString()));
        return this;
    }

    /** Has a running {@link #standby} stream from there, and from nowhere else. */
    public void follow(TestingPostgres primary, String applicationName) {
        query("ALTER SYSTEM SET primary_conninfo = '%s'".formatted(primary.conninfo(applicationName)));
        query("SELECT pg_reload_conf()");
    }

    private Process server() {
        Process known = process;
        if (known == null) {
            throw new IllegalStateException("the server was not started");
        }
        return known;
    }

    private void requireStopped() {
        if (isRunning()) {
            throw new IllegalStateException("the server runs");
        }
    }

    public String log() {
        try {
            return Files.exists(logFile()) ? Files.readString(logFile()) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        killAll();
        Runtime.getRuntime().removeShutdownHook(hook);
        OsUser.TESTS.run(List.of("rm", "-rf", home.toString()));
    }
}
