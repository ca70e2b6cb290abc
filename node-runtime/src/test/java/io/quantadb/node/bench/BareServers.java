package io.quantadb.node.bench;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

/**
 * A primary and two standbys, one of which acknowledges, as PostgreSQL itself makes them, without any agent: what ours is
 * compared with. Clients and standbys come over TCP on loopback, as they do to an agent; the standbys' streams are in the
 * clear or under PostgreSQL's own TLS. Slots keep the WAL that a standby has not got yet, as an agent's do.
 *
 * <p>Runs as the user {@code postgres} when the bench is root, since PostgreSQL refuses root.
 */
final class BareServers implements AutoCloseable {
    static final int STANDBYS = 2;
    private static final boolean ROOT = System.getProperty("user.name").equals("root");
    private static final Duration RECONNECT_DEADLINE = Duration.ofSeconds(30);

    /** How the standbys' streams travel. */
    enum Wire {
        TCP("disable"),
        TLS("require");

        private final String sslMode;

        Wire(String sslMode) {
            this.sslMode = sslMode;
        }
    }

    private final Path bin;
    private final Path folder;
    private final int port;

    BareServers(Path bin, Path folder, int port) {
        this.bin = bin;
        this.folder = folder;
        this.port = port;
    }

    void start() throws IOException, InterruptedException {
        Files.createDirectories(folder);
        Path password = folder.resolve("password");
        Files.writeString(password, "bench\n");
        TlsFiles tls = ClusterCa.create(folder.resolve("tls"), "bench", InstantSource.system())
                .issueNode(new NodeId("bare"), List.of("127.0.0.1"), Duration.ofDays(1));
        if (ROOT) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            run(List.of("chown", "-R", "postgres", folder.toString()));
        }
        asServer(
                "initdb",
                "-k",
                "-D",
                data(0),
                "-U",
                "postgres",
                "-A",
                "scram-sha-256",
                "--pwfile",
                password.toString());
        // What an agent sets and what bears on the figures is set here as well; all else is PostgreSQL's default in
        // both.
        Files.writeString(
                Path.of(data(0), "postgresql.conf"),
                """
                listen_addresses = '127.0.0.1'
                unix_socket_directories = '%s'
                ssl = on
                ssl_cert_file = '%s'
                ssl_key_file = '%s'
                wal_log_hints = on
                wal_keep_size = '128MB'
                wal_retrieve_retry_interval = '20ms'
                wal_receiver_status_interval = '1s'
                """.formatted(folder, tls.cert(), tls.key()),
                java.nio.file.StandardOpenOption.APPEND);
        Files.writeString(Path.of(data(0), "pg_hba.conf"), """
                local all all trust
                local replication all trust
                host replication all 127.0.0.1/32 trust
                host all all 127.0.0.1/32 scram-sha-256
                """);
        startServer(0);
        for (int standby = 1; standby <= STANDBYS; standby++) {
            asServer(
                    "pg_basebackup",
                    "-d",
                    conninfo(standby, Wire.TCP),
                    "-D",
                    data(standby),
                    "-R",
                    "-C",
                    "-S",
                    streamName(standby),
                    "-X",
                    "stream",
                    "-c",
                    "fast");
            startServer(standby);
        }
        sql(0, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'");
    }

    private void startServer(int which) throws IOException, InterruptedException {
        asServer("pg_ctl", "-D", data(which), "-o", "-p " + (port + which), "-l", data(which) + "/log", "-w", "start");
    }

    /** Lets every standby stream this way, and waits until all do. */
    void stream(Wire wire) throws IOException, InterruptedException, SQLException {
        for (int standby = 1; standby <= STANDBYS; standby++) {
            sql(standby, "ALTER SYSTEM SET primary_conninfo = '" + conninfo(standby, wire) + "'");
        }
        String ask = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)"
                + " WHERE state = 'streaming' AND ssl = " + (wire == Wire.TLS);
        long giveUp = System.nanoTime() + RECONNECT_DEADLINE.toNanos();
        try (Connection connection = connect(0);
                Statement statement = connection.createStatement()) {
            while (true) {
                try (ResultSet row = statement.executeQuery(ask)) {
                    row.next();
                    if (row.getInt(1) == STANDBYS) {
                        return;
                    }
                }
                if (System.nanoTime() > giveUp) {
                    throw new SQLException("the bare standbys do not stream over %s".formatted(wire));
                }
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
    }

    /** The application_name of a standby's stream, and its slot. */
    static String streamName(int standby) {
        return "standby" + standby;
    }

    private String conninfo(int standby, Wire wire) {
        return "host=127.0.0.1 port=%d user=postgres application_name=%s sslmode=%s gssencmode=disable"
                .formatted(port, streamName(standby), wire.sslMode);
    }

    private void sql(int which, String statement) throws IOException, InterruptedException {
        asServer(
                "psql",
                "-h",
                folder.toString(),
                "-p",
                Integer.toString(port + which),
                "-U",
                "postgres",
                "-qc",
                statement,
                "-c",
                "SELECT pg_reload_conf()");
    }

    /** @param which 0 for the primary, else the number of a standby */
    Connection connect(int which) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("password", "bench");
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("preferQueryMode", "simple");
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + (port + which) + "/postgres", properties);
    }

    Path dataDirectory(int which) {
        return folder.resolve("data" + which);
    }

    private String data(int which) {
        return dataDirectory(which).toString();
    }

    private void asServer(String tool, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        if (ROOT) {
            command.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
        }
        Path own = bin.resolve(tool);
        command.add(Files.isExecutable(own) ? own.toString() : tool);
        command.addAll(List.of(arguments));
        run(command);
    }

    private void run(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new java.io.File(folder + ".log")));
        // libpq looks for certificates at home, where the server's user may not go.
        builder.environment().put("HOME", folder.toString());
        Process process = builder.start();
        if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException("%s failed; see %s.log".formatted(String.join(" ", command), folder));
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        for (int which = STANDBYS; which >= 0; which--) {
            if (Files.exists(Path.of(data(which), "postmaster.pid"))) {
                asServer("pg_ctl", "-D", data(which), "-m", "immediate", "-w", "stop");
            }
        }
    }
}
