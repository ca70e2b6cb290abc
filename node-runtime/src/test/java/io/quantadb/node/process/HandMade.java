package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.bench.ClusterSql;
import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.config.Ports;
import io.quantadb.node.testing.PostgresBinaries;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestFork;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
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
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Nodes of any number and kind on loopback, each started by a command line as people write it. */
final class HandMade implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int FIRST_PORT = TestFork.port(15700);
    private static final String PASSWORD = "a-password";

    private static final AtomicInteger MADE = new AtomicInteger();

    /** Where the logs stay; of each cluster its own, in the order in which they were made. */
    private final Path logs;

    private final Path folder;
    private final TreeMap<Integer, Process> running = new TreeMap<>();
    private final TreeMap<Integer, List<String>> lines = new TreeMap<>();

    HandMade(Class<?> test) throws IOException {
        this.logs = Path.of("target", "process", test.getSimpleName() + "-" + MADE.incrementAndGet());
        this.folder = Files.createTempDirectory("qhm");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path password = Files.writeString(folder.resolve("password"), PASSWORD + "\n");
        Files.setPosixFilePermissions(password, PosixFilePermissions.fromString("rw-------"));
    }

    static String id(int node) {
        return "node" + node;
    }

    private static Ports ports(int node) {
        return Ports.from(FIRST_PORT + node);
    }

    private static HostPort api(int node) {
        return new HostPort("127.0.0.1", ports(node).api());
    }

    Path data(int node) {
        return folder.resolve(id(node));
    }

    /** The first node, which founds the cluster. */
    void found() throws IOException {
        start(
                1,
                "--cluster-mode",
                "primary",
                "--set",
                "postgres.superuser_password_file=" + folder.resolve("password"));
        await("node1 serves").atMost(PATIENCE).until(() -> state(1).equals("ACTIVE"));
        await("a table")
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> {
                    try (Connection connection = sql(1).patient()) {
                        OpenLoopWriter.createTable(connection);
                        return true;
                    }
                });
    }

    /** Another node, which joins through the first. */
    void join(int node, String kind) throws IOException {
        join(node, kind, Map.of());
    }

    /** @param settings of this node alone */
    void join(int node, String kind, Map<String, String> settings) throws IOException {
        List<String> flags = new ArrayList<>(List.of(
                "--cluster-mode",
                "replica",
                "--primary",
                "127.0.0.1:" + ports(1).replication(),
                "--set",
                "cluster.kind=" + kind));
        settings.forEach((key, value) -> flags.addAll(List.of("--set", key + "=" + value)));
        start(node, flags.toArray(String[]::new));
    }

    private void start(int node, String... flags) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                QuantaDb.class.getName(),
                "--node-id",
                id(node),
                "--host",
                "127.0.0.1",
                "--port",
                Integer.toString(ports(node).sql()),
                "--data",
                data(node).toString(),
                "--set",
                "postgres.bin_dir="
                        + PostgresBinaries.require(PostgresVersion.V15).bin()));
        line.addAll(List.of(flags));
        lines.put(node, line);
        again(node);
    }

    /** Starts a node by the line that started it first. */
    void again(int node) throws IOException {
        running.put(
                node,
                new ProcessBuilder(lines.get(node))
                        .redirectInput(new File("/dev/null"))
                        .redirectErrorStream(true)
                        .redirectOutput(
                                ProcessBuilder.Redirect.appendTo(log(node).toFile()))
                        .start());
    }

    private Path log(int node) {
        return folder.resolve(id(node) + ".log");
    }

    String said(int node) throws IOException {
        return Files.readString(log(node), java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    // ---- what it looks like

    Optional<ClusterClient.View> view() {
        return new ClusterClient(null)
                .nodes(running.entrySet().stream()
                        .filter(e -> e.getValue().isAlive())
                        .map(e -> api(e.getKey()))
                        .toList());
    }

    /** What the best informed node says of this one; missing when it is no member. */
    JsonNode of(int node) {
        JsonNode none = com.fasterxml.jackson.databind.node.MissingNode.getInstance();
        for (JsonNode each : view().map(v -> v.body().path("nodes")).orElse(none)) {
            if (each.path("id").asText().equals(id(node))) {
                return each;
            }
        }
        return none;
    }

    String state(int node) {
        return of(node).path("state").asText();
    }

    /** The field of this name of the cluster, empty when nobody answers. */
    String says(String field) {
        return view().map(v -> v.body().path(field).asText()).orElse("");
    }

    void awaitState(int node, String state) {
        await("%s is %s".formatted(id(node), state))
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(state(node)).as("%s", of(node)).isEqualTo(state));
    }

    /** Waits until it streams and votes. */
    void awaitVoter(int node) {
        await("%s votes".formatted(id(node)))
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(of(node).path("is_voter").asBoolean())
                        .as("%s", of(node))
                        .isTrue());
    }

    /** Waits until commits wait for this node, and the change of rule that brought it about is over. */
    void awaitRule(String node) {
        await(node + " acknowledges")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(says("rule")).contains(node).doesNotContain(" AND "));
    }

    // ---- what is done to it

    /** Kills agent and PostgreSQL, as a power cut would. */
    void kill(int node) throws InterruptedException {
        List<ProcessMark> postgres = NodeProcesses.postgresTree(data(node).resolve("postgres"));
        running.get(node).destroyForcibly();
        postgres.forEach(ProcessMark::kill);
        assertThat(running.get(node).waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    /** Waits until the agent has ended by itself; returns its exit status. */
    int awaitEnd(int node) throws InterruptedException {
        assertThat(running.get(node).waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as("%s ends", id(node))
                .isTrue();
        return running.get(node).exitValue();
    }

    /** What a command has said and ended with. */
    record Ran(int status, String words) {}

    /** A command of the program, asked of this node. */
    Ran quantadb(int asked, String... args) {
        StringWriter said = new StringWriter();
        PrintWriter out = new PrintWriter(said, true);
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(List.of(
                "--api",
                api(asked).toString(),
                "--token-file",
                data(asked).resolve("run").resolve("api.token").toString()));
        int status = QuantaDb.execute(
                new Services(() -> config -> 1, () -> {
                    throw new AssertionError("no certificate is needed");
                }),
                Map.of(),
                folder,
                out,
                out,
                all.toArray(String[]::new));
        return new Ran(status, said.toString());
    }

    // ---- sessions

    /** By the listeners of these nodes that follow the primary. */
    ClusterSql sql(int... nodes) {
        List<String> listeners = new ArrayList<>();
        for (int node : nodes) {
            listeners.add("127.0.0.1:" + ports(node).primary());
        }
        return new ClusterSql(listeners, PASSWORD);
    }

    /** One row more through these nodes; waits until it is acknowledged. */
    void write(long row, int... nodes) {
        await("row %d is acknowledged".formatted(row))
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> {
                    try (Connection connection = sql(nodes).quick(0);
                            Statement statement = connection.createStatement()) {
                        return statement.executeUpdate(
                                        "INSERT INTO %s (id) VALUES (%d)".formatted(OpenLoopWriter.TABLE, row))
                                == 1;
                    }
                });
    }

    /** Waits until the node itself shows the row. */
    void awaitRow(long row, int node) {
        await("row %d on %s".formatted(row, id(node)))
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> {
                    try (Connection connection = local(node);
                            Statement statement = connection.createStatement();
                            ResultSet found = statement.executeQuery(
                                    "SELECT count(*) FROM %s WHERE id = %d".formatted(OpenLoopWriter.TABLE, row))) {
                        return found.next() && found.getLong(1) > 0;
                    }
                });
    }

    private static Connection local(int node) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:%d/postgres?sslmode=disable&gssEncMode=disable&connectTimeout=5&socketTimeout=60"
                        .formatted(ports(node).sql()),
                "postgres",
                PASSWORD);
    }

    @Override
    public void close() throws Exception {
        running.values().forEach(Process::destroy);
        for (Process process : running.values()) {
            if (!process.waitFor(40, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        }
        Files.createDirectories(logs);
        for (int node : running.keySet()) {
            Files.copy(log(node), logs.resolve(id(node) + ".log"), StandardCopyOption.REPLACE_EXISTING);
        }
        try (var walk = Files.walk(folder)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
