package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.ProcessMark;
import io.quantadb.node.pgwire.PgConnection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** Does to a cluster what one scenario of {@link RepairBench} says, and measures until it is whole again. */
final class RepairRound {
    private static final Duration AWAY = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofMinutes(30);
    private static final Duration SQL = Duration.ofMinutes(5);
    private static final int FILL_MB = 32;
    private static final String CLONED = "base backup copied";
    private static final String CLONES = "cloning the data directory";
    private static final String REWOUND = "rewind complete";

    private final Ground ground;
    private final int sizeMb;
    private final int lagSeconds;
    private final ClusterClient client = new ClusterClient(null);

    /** What a round gives: the rung that was taken, and numbers. */
    record Outcome(String rung, Map<String, Double> measured) {}

    RepairRound(Ground ground, int sizeMb, int lagSeconds) {
        this.ground = ground;
        this.sizeMb = sizeMb;
        this.lagSeconds = lagSeconds;
    }

    /** Whether the PostgreSQL of the nodes has pg_rewind beside it. */
    boolean canRewind() throws IOException {
        Path postgres =
                Path.of(Files.readAllLines(primary().postgresData().resolve("postmaster.opts"), StandardCharsets.UTF_8)
                        .getFirst()
                        .split(" ")[0]);
        return Files.isExecutable(postgres.resolveSibling("pg_rewind"));
    }

    Outcome run(RepairScenario scenario) throws Exception {
        whole();
        return switch (scenario) {
            case STREAM_10S, STREAM_SIZE -> rejoin(scenario, standby(), "auto");
            case REWIND_10S, REWIND_SIZE -> rejoin(scenario, primary(), "auto");
            case CLONE_10S, CLONE_SIZE -> rejoin(scenario, primary(), "off");
            case ADD_NODE -> addNode();
            case ELECTION -> election();
            case LAG -> lag();
        };
    }

    // ---- coming back

    /** A standby is only away; a primary has WAL of its own. */
    private Outcome rejoin(RepairScenario scenario, DemoNode node, String rewind) throws Exception {
        boolean wasPrimary = node.id().value().equals(ground.view().primary());
        long cloned = said(node, CLONED);
        long rewound = said(node, REWOUND);
        if (wasPrimary) {
            dieWithWalOfItsOwn(node);
            await(
                    "another primary",
                    () -> ground.demo()
                            .view()
                            .filter(v -> !v.primary().isEmpty()
                                    && !v.primary().equals(node.id().value())
                                    && !v.body().path("failover_in_progress").asBoolean())
                            .isPresent());
        } else {
            ground.demo().kill(node.id());
        }
        String from = position();
        miss(scenario.bySize());
        double missedMb = Double.parseDouble(
                ask("SELECT (pg_current_wal_insert_lsn() - '%s'::pg_lsn) / 1048576.0".formatted(from)));
        // Or what the others say of its former life would do for its new one.
        await(node.id() + " is missed", () -> !well(node));
        set(node, "rewind", rewind);
        long began = System.nanoTime();
        ground.demo().start(node.id());
        whole();
        double seconds = (System.nanoTime() - began) / 1e9;
        set(node, "rewind", "auto");
        String rung = said(node, CLONED) > cloned ? "clone" : said(node, REWOUND) > rewound ? "rewind" : "stream";
        return new Outcome(rung, Map.of("seconds", seconds, "missed_wal_mb", missedMb));
    }

    private void dieWithWalOfItsOwn(DemoNode node) throws Exception {
        try (PgConnection session = behind(node)) {
            List<Long> senders = new ArrayList<>();
            session.query(HeldStreams.SENDERS, SQL).rows().forEach(row -> senders.add(Long.valueOf(row.getFirst())));
            try (HeldStreams held = HeldStreams.hold(senders)) {
                Objects.requireNonNull(held);
                session.queryAll("SET synchronous_commit = local", SQL);
                session.queryAll("SELECT pg_logical_emit_message(true, 'bench', repeat('x', 100000))", SQL);
                ground.demo().kill(node.id());
            }
        }
    }

    private void miss(boolean bySize) throws InterruptedException {
        if (!bySize) {
            TimeUnit.MILLISECONDS.sleep(AWAY.toMillis());
            return;
        }
        try (PgConnection session = behind(primary())) {
            for (int done = 0; done < sizeMb; done += FILL_MB) {
                session.query(
                        "SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 1048576))) FROM generate_series(1, %d)"
                                .formatted(Math.min(FILL_MB, sizeMb - done)),
                        SQL);
            }
        }
    }

    /** A setting of {@code postgres} in the file that the node is started with. */
    private static void set(DemoNode node, String name, String value) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = (ObjectNode) mapper.readTree(node.settings().toFile());
        root.withObjectProperty("postgres").put(name, value);
        // Written over, since the file belongs to the node's user and to nobody else.
        Files.writeString(node.settings(), root.toPrettyString() + "\n");
    }

    // ---- coming in

    private Outcome addNode() throws Exception {
        // The first node's settings permit it to form a cluster on an empty disk.
        String first = ground.demo().nodes().getFirst().id().value();
        DemoNode node = ground.demo().nodes().stream()
                .filter(n -> !n.id().value().equals(first)
                        && !n.id().value().equals(ground.view().primary()))
                .findFirst()
                .orElseThrow();
        remove(node);
        ground.demo().kill(node.id());
        removeTree(node.folder().resolve("data"));
        long clones = said(node, CLONES);
        long cloned = said(node, CLONED);
        long began = System.nanoTime();
        ground.demo().start(node.id());
        await("the copy begins", () -> said(node, CLONES) > clones);
        long copies = System.nanoTime();
        await("the copy ends", () -> said(node, CLONED) > cloned);
        double copy = (System.nanoTime() - copies) / 1e9;
        whole();
        double seconds = (System.nanoTime() - began) / 1e9;
        return new Outcome(
                "", Map.of("seconds", seconds, "copy_seconds", copy, "beside_the_copy_seconds", seconds - copy));
    }

    private void remove(DemoNode node) throws IOException {
        DemoNode asked = primary();
        ObjectNode body = JsonNodeFactory.instance
                .objectNode()
                .put("node", node.id().value())
                .put("anyway", true);
        ClusterClient.Reply reply = client.post(
                        asked.api(),
                        "/cluster/members/remove",
                        body,
                        Files.readString(asked.token()).strip())
                .orElseThrow(() -> new IOException(asked.id() + " does not answer"));
        if (reply.status() != 202) {
            throw new IOException("%s is not taken out: %s".formatted(node.id(), reply.body()));
        }
        await(
                node.id() + " is out",
                () -> ground.demo()
                        .view()
                        .filter(v -> Stream.of(v.body().path("nodes"))
                                .flatMap(nodes -> nodes.findValuesAsText("id").stream())
                                .noneMatch(id -> id.equals(node.id().value())))
                        .isPresent());
    }

    // ---- who leads

    private Outcome election() throws Exception {
        DemoNode leader = ground.node(ground.view().leader());
        long term = ground.view().body().path("term").asLong();
        List<DemoNode> others = ground.demo().nodes().stream()
                .filter(n -> !n.id().equals(leader.id()))
                .toList();
        ProcessMark agent = Objects.requireNonNull(leader.agent(), "the leader has no agent");
        long at = System.nanoTime();
        agent.kill();
        double ms = Double.NaN;
        while (Double.isNaN(ms)) {
            for (DemoNode node : others) {
                JsonNode said = client.get(node.api(), "/cluster/nodes").orElse(JsonNodeFactory.instance.objectNode());
                if (said.path("term").asLong() > term
                        && said.path("leader").asText().equals(node.id().value())) {
                    ms = (System.nanoTime() - at) / 1e6;
                }
            }
            if (System.nanoTime() - at > PATIENCE.toNanos()) {
                throw new IOException("nobody leads after " + PATIENCE);
            }
            TimeUnit.MILLISECONDS.sleep(2);
        }
        ground.demo().start(leader.id());
        return new Outcome("", Map.of("ms", ms));
    }

    // ---- how far behind

    /** Position after position of the primary, until the standbys have applied it; of the slower one each time. */
    private Outcome lag() throws Exception {
        List<PgConnection> standbys = new ArrayList<>();
        List<Double> samples = new ArrayList<>();
        DemoNode primary = primary();
        try (PgConnection writes = behind(primary)) {
            for (DemoNode node : ground.demo().nodes()) {
                if (!node.id().equals(primary.id())) {
                    standbys.add(behind(node));
                }
            }
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(lagSeconds);
            while (System.nanoTime() < end) {
                String flushed =
                        writes.query("SELECT pg_current_wal_flush_lsn()", SQL).single();
                long at = System.nanoTime();
                for (PgConnection standby : standbys) {
                    String question = "SELECT coalesce(pg_last_wal_replay_lsn() >= '%s', false)".formatted(flushed);
                    while (!standby.query(question, SQL).single().equals("t")) {
                        if (System.nanoTime() - at > SQL.toNanos()) {
                            throw new IOException("a standby does not apply " + flushed);
                        }
                        TimeUnit.MICROSECONDS.sleep(500);
                    }
                }
                samples.add((System.nanoTime() - at) / 1e6);
                TimeUnit.MILLISECONDS.sleep(10);
            }
        } finally {
            standbys.forEach(PgConnection::close);
        }
        double[] values = samples.stream().mapToDouble(Double::doubleValue).toArray();
        Map<String, Double> measured = new TreeMap<>();
        measured.put("p50_ms", Statistics.percentile(values, 0.5));
        measured.put("p99_ms", Statistics.percentile(values, 0.99));
        measured.put("max_ms", Statistics.max(values));
        measured.put("samples", (double) values.length);
        return new Outcome("", measured);
    }

    // ---- the cluster

    private void whole() {
        ground.demo().awaitReady(PATIENCE, System.nanoTime());
    }

    private boolean well(DemoNode node) {
        for (JsonNode member : ground.view().body().path("nodes")) {
            if (member.path("id").asText().equals(node.id().value())) {
                String state = member.path("state").asText();
                return state.equals("STREAMING") || state.equals("ACTIVE");
            }
        }
        return false;
    }

    private DemoNode primary() {
        return ground.node(ground.view().primary());
    }

    private DemoNode standby() {
        String primary = ground.view().primary();
        return ground.demo().nodes().stream()
                .filter(n -> !n.id().value().equals(primary))
                .findFirst()
                .orElseThrow();
    }

    /** As the agent's own role, over the private socket. */
    private static PgConnection behind(DemoNode node) {
        Path sockets = node.folder().resolve("data").resolve("run").resolve("pg");
        return PgConnection.connect(
                PgConnection.socketIn(sockets, 5432),
                Map.of("user", "quantadb", "database", "postgres", "application_name", "bench"),
                SQL);
    }

    private String position() {
        return ask("SELECT pg_current_wal_insert_lsn()");
    }

    private String ask(String sql) {
        try (PgConnection session = behind(primary())) {
            return session.query(sql, SQL).single();
        }
    }

    private static long said(DemoNode node, String words) {
        try (Stream<String> lines = Files.lines(node.log(), StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.contains(words)).count();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void await(String what, BooleanSupplier so) {
        long began = System.nanoTime();
        while (!so.getAsBoolean()) {
            if (System.nanoTime() - began > PATIENCE.toNanos()) {
                throw new IllegalStateException("%s: not within %s".formatted(what, PATIENCE));
            }
            try {
                TimeUnit.MILLISECONDS.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }

    private static void removeTree(Path folder) throws IOException {
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
