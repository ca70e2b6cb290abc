package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.bench.ClusterSql;
import io.quantadb.node.bench.HeldStreams;
import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.Demo;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.cli.ProcessMark;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresBinaries;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestFork;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

/** A cluster of three real nodes for one test class, in a folder of its own; its agents' logs are kept under target. */
final class TestingThree implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);
    static final int FIRST_PORT = TestFork.port(15432);

    private final String name;
    private final Path folder;
    private final Demo demo;
    private final Map<String, String> settings;

    /** Makes something of a node's data folder before the node is there. */
    interface Prepare {
        void data(Path folder) throws IOException;
    }

    private TestingThree(String name, Path folder, Demo demo, Map<String, String> settings) {
        this.name = name;
        this.folder = folder;
        this.demo = demo;
        this.settings = settings;
    }

    static TestingThree form(Class<?> test, PostgresVersion version) {
        return form(test, version, Machines.LOOPBACK, List.of(), Map.of());
    }

    /** @param agentCommand what starts an agent, before {@code --config FILE}; empty for the program on the class path */
    static TestingThree form(
            Class<?> test,
            PostgresVersion version,
            Machines machines,
            List<String> agentCommand,
            Map<String, String> extra) {
        return form(test, version, machines, agentCommand, extra, node -> {});
    }

    /** @param prepare gets the folder that each node's data will lie in, before anything is in it */
    static TestingThree form(
            Class<?> test,
            PostgresVersion version,
            Machines machines,
            List<String> agentCommand,
            Map<String, String> extra,
            Prepare prepare) {
        Map<String, String> settings = new HashMap<>(extra);
        settings.put("postgres.bin_dir", PostgresBinaries.require(version).bin().toString());
        Path folder;
        try {
            // Short, since sockets lie in it, and open to PostgreSQL's own user.
            folder = Files.createTempDirectory("qpt");
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            for (int i = 1; i <= Demo.NODES; i++) {
                prepare.data(folder.resolve("c").resolve("node" + i).resolve("data"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.remove("QUANTADB_LAUNCHER");
        // As shipped, where the caller says that it has just been packed: whoever runs one test means the classes.
        Optional.ofNullable(System.getProperty("quantadb.test.launcher"))
                .ifPresent(launcher -> environment.put("QUANTADB_LAUNCHER", launcher));
        Demo demo = new Demo(folder.resolve("c"), environment, line -> {}, machines, agentCommand);
        TestingThree out = new TestingThree(test.getSimpleName(), folder, demo, settings);
        try {
            demo.up(out.start());
            try (Connection connection = out.sql().patient()) {
                OpenLoopWriter.createTable(connection);
            }
            return out;
        } catch (RuntimeException | SQLException | Error e) {
            out.close();
            throw new AssertionError("the cluster did not form; see " + out.logs(), e);
        }
    }

    private Demo.Start start() {
        return new Demo.Start(List.of(FIRST_PORT, FIRST_PORT + 3), "info", settings, Demo.START_DEADLINE);
    }

    // ---- what it looks like

    ClusterClient.View view() {
        return demo.view().orElseThrow(() -> new AssertionError("no node answers"));
    }

    List<DemoNode> nodes() {
        return demo.nodes();
    }

    DemoNode node(String id) {
        return nodes().stream()
                .filter(n -> n.id().value().equals(id))
                .findFirst()
                .orElseThrow();
    }

    DemoNode primary() {
        return node(view().primary());
    }

    int indexOf(DemoNode node) {
        return nodes().stream().map(DemoNode::id).toList().indexOf(node.id());
    }

    String password() {
        try {
            return ClusterSql.passwordFrom(demo.passfile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path folder() {
        return folder;
    }

    Path passfile() {
        return demo.passfile();
    }

    /** How often the node's log has this text. */
    long said(DemoNode node, String text) {
        try (var lines = Files.lines(node.log(), java.nio.charset.StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.contains(text)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- sessions

    ClusterSql sql() {
        return new ClusterSql(
                nodes().stream().map(n -> n.primaryListener().toString()).toList(), password());
    }

    /** A session on this very node, through its own SQL port. */
    Connection local(DemoNode node) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("password", password());
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("preferQueryMode", "simple");
        properties.setProperty("connectTimeout", "5");
        properties.setProperty("socketTimeout", "60");
        return DriverManager.getConnection(
                "jdbc:postgresql://%s:%d/postgres"
                        .formatted(node.host(), node.ports().sql()),
                properties);
    }

    /** A session with the node's server behind its agent's back, over the private socket, as a superuser. */
    PgConnection behind(DemoNode node) {
        return PgConnection.connect(
                PgConnection.socketIn(
                        node.folder().resolve("data").resolve("run").resolve("pg"), 5432),
                Map.of("user", "quantadb", "database", "postgres", "application_name", "a-superuser"),
                Duration.ofSeconds(10));
    }

    /** The rows of a writer's range as this node has them, in the order in which they were written. */
    List<Long> rows(DemoNode node, long firstId, long endId) throws SQLException {
        List<Long> out = new ArrayList<>();
        try (Connection connection = local(node);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM %s WHERE id >= %d AND id < %d ORDER BY serial"
                        .formatted(OpenLoopWriter.TABLE, firstId, endId))) {
            while (rows.next()) {
                out.add(rows.getLong(1));
            }
        }
        return out;
    }

    // ---- what is done to it

    /** Kills agent and PostgreSQL, as a power cut would. */
    void kill(DemoNode node) {
        demo.kill(node.id());
    }

    void start(DemoNode node) {
        demo.start(node.id());
    }

    void startMissing() {
        nodes().stream().filter(node -> !node.running()).forEach(this::start);
    }

    static ProcessMark agent(DemoNode node) {
        return Objects.requireNonNull(node.agent(), "the node has no agent");
    }

    static void signal(DemoNode node, String signal) throws IOException, InterruptedException {
        ProcessMark agent = agent(node);
        assertThat(agent.isAlive()).as("%s runs", node.id()).isTrue();
        Process kill = new ProcessBuilder("kill", signal, Long.toString(agent.pid())).start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }

    /** Tells the agent to end (SIGTERM), waits until it has, and returns its exit status. */
    int stop(DemoNode node) throws IOException, InterruptedException {
        signal(node, "-TERM");
        return awaitEnd(node);
    }

    /** Whether the agent that was started last for this node has ended by itself. */
    boolean hasEnded(DemoNode node) {
        return demo.exitStatus(node.id()).isPresent();
    }

    /** Waits until the agent that was started last has ended by itself; returns its exit status. */
    int awaitEnd(DemoNode node) {
        await("%s ends".formatted(node.id())).atMost(PATIENCE).until(() -> hasEnded(node));
        return demo.exitStatus(node.id()).orElseThrow();
    }

    /** What a command of the program has said and ended with. */
    record Ran(int status, String out, String err) {}

    /** {@code quantadb switchover} with these flags, for this cluster. */
    Ran switchover(String... flags) {
        return command("switchover", flags);
    }

    /** That command with these flags, for this cluster. */
    Ran command(String name, String... flags) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> args =
                new ArrayList<>(List.of(name, "--dir", folder.resolve("c").toString()));
        args.addAll(List.of(flags));
        int status = QuantaDb.execute(
                new Services(() -> config -> 1, () -> {
                    throw new AssertionError("no certificate is needed");
                }),
                Map.of(),
                folder,
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                args.toArray(String[]::new));
        return new Ran(status, out.toString(), err.toString());
    }

    /** Keeps the primary's WAL on its own disk until closed. */
    HeldStreams holdStreams(DemoNode primary) throws IOException, InterruptedException {
        List<Long> senders = new ArrayList<>();
        try (PgConnection session = behind(primary)) {
            for (var row :
                    session.query(HeldStreams.SENDERS, Duration.ofSeconds(10)).rows()) {
                senders.add(Long.valueOf(row.getFirst()));
            }
        }
        return HeldStreams.hold(senders);
    }

    /** Waits until another node than this is the primary, and returns it. */
    DemoNode awaitSuccessor(DemoNode old) {
        String[] found = {""};
        await("a primary after " + old.id()).atMost(PATIENCE).untilAsserted(() -> {
            found[0] = view().primary();
            assertThat(found[0]).isNotEmpty().isNotEqualTo(old.id().value());
        });
        return node(found[0]);
    }

    /** Waits until all members are healthy, vote and acknowledge, and are of one epoch and timeline. */
    ClusterClient.View awaitConverged() {
        demo.awaitReady(PATIENCE, System.nanoTime());
        ClusterClient.View[] seen = new ClusterClient.View[1];
        await("all members of one epoch and timeline").atMost(PATIENCE).untilAsserted(() -> {
            ClusterClient.View view = view();
            for (var node : view.body().path("nodes")) {
                assertThat(node.path("epoch").asLong()).as("epoch in %s", node).isEqualTo(view.epoch());
                assertThat(node.path("timeline").asLong())
                        .as("timeline in %s", node)
                        .isEqualTo(view.body().path("timeline").asLong());
            }
            seen[0] = view;
        });
        return seen[0];
    }

    Path logs() {
        return Path.of("target", "process", name);
    }

    @Override
    public void close() {
        try {
            Files.createDirectories(logs());
            for (DemoNode node : nodes()) {
                if (Files.exists(node.log())) {
                    Files.copy(node.log(), logs().resolve(node.id() + ".log"), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            demo.down(true);
            // Gone already unless a scenario put something beside the cluster.
            folder.toFile().delete();
        }
    }
}
