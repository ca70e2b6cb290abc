package io.quantadb.node.postgres;

import io.quantadb.node.pgwire.PgConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server with its directories below one scratch directory, and everything that its listener heard. */
final class TestingNode implements ServerListener, AutoCloseable {
    static final Duration DEADLINE = Duration.ofSeconds(30);
    static final ServerUser USER = ServerUser.resolve(null);

    final ServerConfig config;
    final PostgresServer server;
    final DataDirectory directory;
    final List<StartMode> ready = new CopyOnWriteArrayList<>();
    final List<ServerExit> exits = new CopyOnWriteArrayList<>();
    final List<Long> exitNanos = new CopyOnWriteArrayList<>();
    final List<Long> cancelledWaits = new CopyOnWriteArrayList<>();

    TestingNode(PostgresBinaries binaries, Path home, int port, Path upstreamDirectory, int upstreamPort) {
        config = new ServerConfig(
                binaries,
                USER,
                home.resolve("data"),
                home.resolve("conf"),
                SocketDirectory.prepare(home.resolve("s"), ".s.PGSQL." + port, USER),
                port,
                true,
                new ServerConfig.Upstream(upstreamDirectory, upstreamPort),
                Map.of("shared_buffers", "16MB", "max_connections", "30"),
                List.of(),
                // No relay here: the WAL receiver dials the other server itself, as PostgreSQL's user.
                List.of(USER.name()));
        server = new PostgresServer(config, this);
        directory = new DataDirectory(config.dataDirectory(), USER);
    }

    /** A directory that PostgreSQL's user can reach, unlike JUnit's own. */
    static Path scratch() {
        try {
            Path dir = Files.createTempDirectory("qdb");
            Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
            return dir;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void startAndAwait(StartMode mode) {
        server.start(mode);
        server.awaitReady(DEADLINE);
    }

    /** Runs a statement whose commit does not wait for the voice, which nobody plays here. */
    String sql(String statement) {
        try (PgConnection session = server.sessions().open("postgres", "test")) {
            session.queryAll("SET synchronous_commit = local; SET search_path = public", DEADLINE);
            String value = session.query(statement, DEADLINE).singleOrNull();
            return value == null ? "" : value;
        }
    }

    @Override
    public void onReady(StartMode mode) {
        ready.add(mode);
    }

    @Override
    public void onExit(ServerExit exit) {
        exitNanos.add(System.nanoTime());
        exits.add(exit);
    }

    @Override
    public void onWaitCancelled() {
        cancelledWaits.add(System.nanoTime());
    }

    @Override
    public void close() {
        server.stop(StopMode.IMMEDIATE, Duration.ofSeconds(10));
    }
}
