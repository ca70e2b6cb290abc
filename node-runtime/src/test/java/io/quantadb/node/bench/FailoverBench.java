package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.Demo;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Kills primaries and measures how long writes are away, as a client sees it.
 *
 * <p>Environment: {@code RUNS} rounds of each (30), {@code SCENARIOS} and {@code LOAD} (all, with commas), {@code MODE}
 * (quorum), {@code GOALS=off} judges lost and duplicated only, {@code BENCH_DIR} the clusters' folder, {@code RESULTS}
 * the file of rounds by which it goes on, {@code BENCH_PORT} the first SQL port, {@code PGBENCH} the program,
 * {@code BROKEN} runs a test build with that bug put back, {@code VERIFY_SECONDS} how long writes must go on before and after.
 *
 * <p>Prints a header, one JSON object a line per scenario and load, and a last line; exits with 1 when a goal is missed.
 */
public final class FailoverBench {
    private static final Duration EVERY = Duration.ofMillis(5);
    private static final Duration BACK_DEADLINE = Duration.ofSeconds(30);
    private static final Duration HELD_MAX = Duration.ofMillis(500);
    private static final int HELD_WRITES = 20;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Map<String, String> env;
    private final int runs;
    private final String mode;
    private final Path results;
    private final String settings;
    private final int steadyMs;
    private long nextId = System.currentTimeMillis() << 20;

    private FailoverBench(Map<String, String> env) {
        this.env = new HashMap<>(env);
        // `make bench-failover RUNS=` sets it to nothing, which is as if it were not set.
        this.env.values().removeIf(String::isBlank);
        this.runs = Integer.parseInt(this.env.getOrDefault("RUNS", "30"));
        this.mode = this.env.getOrDefault("MODE", "quorum");
        this.steadyMs = 1_000 * Integer.parseInt(this.env.getOrDefault("VERIFY_SECONDS", "2"));
        this.results = Path.of(this.env.getOrDefault("RESULTS", "target/bench/failover.jsonl"));
        this.settings = "%s every=%dms broken=%s %s"
                .formatted(
                        mode,
                        EVERY.toMillis(),
                        this.env.getOrDefault("BROKEN", "no"),
                        this.env.getOrDefault("QUANTADB_COMMIT", "uncommitted"));
    }

    public static void main(String[] args) throws Exception {
        // Only what the demo must see of the environment's settings reaches it.
        System.exit(new FailoverBench(System.getenv()).run());
    }

    private int run() throws Exception {
        List<Scenario> scenarios = env.containsKey("SCENARIOS")
                ? Arrays.stream(env.get("SCENARIOS").split(","))
                        .map(Scenario::of)
                        .toList()
                : List.of(Scenario.values());
        List<String> loads = List.of(env.getOrDefault("LOADS", env.getOrDefault("LOAD", "none,pgbench"))
                .split(","));
        boolean goals = !env.getOrDefault("GOALS", "on").equals("off");
        List<String> missed = new ArrayList<>();
        List<String> notRun = new ArrayList<>();
        List<Scenario> possible = new ArrayList<>();
        for (Scenario scenario : scenarios) {
            String missing = Ground.missing(scenario);
            if (missing.isEmpty()) {
                possible.add(scenario);
            } else {
                notRun.add(scenario.label() + ": " + missing);
            }
        }
        List<Scenario> signals =
                possible.stream().filter(s -> s != Scenario.PARTITION).toList();
        if (!signals.isEmpty()) {
            try (Ground ground = Ground.loopback(env, mode)) {
                measureAll(ground, signals, loads, goals, missed, notRun);
            }
        }
        if (possible.contains(Scenario.PARTITION)) {
            try (Ground ground = Ground.namespaces(env, mode)) {
                measureAll(ground, List.of(Scenario.PARTITION), loads, goals, missed, notRun);
            }
        }
        ObjectNode last = MAPPER.createObjectNode().put("summary", missed.isEmpty() ? "goals met" : "goals missed");
        missed.forEach(last.putArray("missed")::add);
        notRun.forEach(last.putArray("not_run")::add);
        System.out.println(last.put("goals", goals ? "all" : "lost and duplicated only"));
        return missed.isEmpty() ? 0 : 1;
    }

    private void measureAll(
            Ground ground,
            List<Scenario> scenarios,
            List<String> loads,
            boolean goals,
            List<String> missed,
            List<String> notRun)
            throws Exception {
        try (Connection connection = ground.sql().patient()) {
            OpenLoopWriter.createTable(connection);
            System.out.println(header(connection, ground.view()));
        }
        for (String load : loads) {
            measure(ground, scenarios, load, goals, missed, notRun);
        }
    }

    private void measure(
            Ground ground,
            List<Scenario> scenarios,
            String load,
            boolean goals,
            List<String> missed,
            List<String> notRun)
            throws Exception {
        PgbenchLoad pgbench = null;
        if (load.equals("pgbench")) {
            Path program = Path.of(env.getOrDefault("PGBENCH", "/usr/bin/pgbench"));
            if (!Files.isExecutable(program)) {
                notRun.add("load pgbench: %s is not there".formatted(program));
                return;
            }
            pgbench = new PgbenchLoad(
                    program, ground.demo().url(), ground.demo().passfile().resolveSibling("pgbench.log"));
            pgbench.initialise();
            pgbench.start();
        }
        try {
            for (Scenario scenario : scenarios) {
                Summary summary = new Summary(scenario, mode, load, rounds(ground, scenario, load));
                System.out.println(summary.line());
                missed.addAll(summary.missed(goals));
            }
        } finally {
            if (pgbench != null) {
                pgbench.close();
            }
        }
    }

    private List<RunResult> rounds(Ground ground, Scenario scenario, String load) throws Exception {
        List<RunResult> done = new ArrayList<>(RunResult.read(results, settings).stream()
                .filter(r -> r.scenario().equals(scenario.label()) && r.load().equals(load))
                .limit(runs)
                .toList());
        while (done.size() < runs) {
            RunResult result = round(ground, scenario, load, done.size() + 1);
            result.append(results);
            done.add(result);
            System.err.println("# " + result.line());
        }
        return done;
    }

    /** One round: steady writes, the fault, writes again, everything healed, the audit. */
    private RunResult round(Ground ground, Scenario scenario, String load, int run) throws Exception {
        Demo demo = ground.demo();
        ClusterSql sql = ground.sql();
        long epochReady =
                demo.awaitReady(Demo.START_DEADLINE, System.nanoTime()).epoch();
        History history = new History();
        long firstId = nextId;
        CpuMeter cpu = new CpuMeter();
        double gap;
        double busy;
        long falseFailovers;
        Fault fault;
        long at;
        try (OpenLoopWriter writer = new OpenLoopWriter(sql, EVERY, firstId, history)) {
            writer.start();
            awaitAcknowledged(history, System.nanoTime(), steadyMs);
            ClusterClient.View before = ground.view();
            falseFailovers = before.epoch() - epochReady;
            fault = new Fault(demo, scenario, ground.node(before.primary()), ground.network());
            try (HeldStreams held = env.containsKey("BROKEN") ? holdStreams(sql, history) : null) {
                at = fault.strike(run);
            }
            boolean back = awaitAcknowledged(history, at, steadyMs);
            gap = back ? Statistics.longestHoleMs(history.acknowledgedAt(), at) : BACK_DEADLINE.toMillis();
            // Before a client that hangs on a paused node is waited for.
            busy = cpu.busyPercent();
        }
        fault.heal();
        long epochAfter =
                demo.awaitReady(Demo.START_DEADLINE, System.nanoTime()).epoch();
        // One change of epoch is what the fault asked for; every further one was for nothing.
        falseFailovers += Math.max(0, epochAfter - epochReady - falseFailovers - 1);
        HistoryChecker.Verdict verdict = HistoryChecker.check(history, found(sql, firstId));
        nextId = firstId + (1L << 20);
        return new RunResult(
                settings,
                scenario.label(),
                load,
                run,
                gap,
                history.count(History.Outcome.ACKNOWLEDGED),
                verdict.lost().size(),
                verdict.duplicated().size(),
                verdict.unknown(),
                verdict.phantom().size() + verdict.reordered().size(),
                falseFailovers,
                busy,
                history.errors());
    }

    /**
     * Gives a broken build its chance: WAL reaches nobody for a moment, long enough for commits that such a build
     * acknowledges all the same. A sound one acknowledges none of them, and the moment passes.
     */
    private static HeldStreams holdStreams(ClusterSql sql, History history)
            throws SQLException, IOException, InterruptedException {
        List<Long> senders = new ArrayList<>();
        try (Connection connection = sql.patient();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(HeldStreams.SENDERS)) {
            while (rows.next()) {
                senders.add(rows.getLong(1));
            }
        }
        HeldStreams held = HeldStreams.hold(senders);
        long before = history.count(History.Outcome.ACKNOWLEDGED);
        long deadline = System.nanoTime() + HELD_MAX.toNanos();
        while (history.count(History.Outcome.ACKNOWLEDGED) < before + HELD_WRITES && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        return held;
    }

    /** Waits until acknowledgements newer than {@code after} have come for this long without a hole of 200 ms. */
    private static boolean awaitAcknowledged(History history, long after, int steadyMs) throws InterruptedException {
        long deadline = System.nanoTime() + BACK_DEADLINE.toNanos() + TimeUnit.MILLISECONDS.toNanos(steadyMs);
        while (System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(50);
            if (steadyFor(history.acknowledgedAt(), after, System.nanoTime()) >= steadyMs * 1_000_000L) {
                return true;
            }
        }
        return false;
    }

    /** How long acknowledgements have come without a hole of 200 ms, up to now and after that instant. */
    static long steadyFor(long[] acknowledgedAt, long after, long now) {
        long hole = TimeUnit.MILLISECONDS.toNanos(200);
        long newer = now;
        for (int i = acknowledgedAt.length - 1; i >= 0; i--) {
            if (acknowledgedAt[i] <= after || newer - acknowledgedAt[i] > hole) {
                break;
            }
            newer = acknowledgedAt[i];
        }
        return now - newer;
    }

    private static List<Long> found(ClusterSql sql, long firstId) throws SQLException {
        List<Long> out = new ArrayList<>();
        try (Connection connection = sql.patient();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM " + OpenLoopWriter.TABLE + " WHERE id >= "
                        + firstId + " AND id < " + (firstId + (1L << 20)) + " ORDER BY serial")) {
            while (rows.next()) {
                out.add(rows.getLong(1));
            }
        }
        return out;
    }

    private String header(Connection connection, ClusterClient.View view) throws SQLException {
        ObjectNode out = MAPPER.createObjectNode()
                .put("bench", "failover")
                .put("started", Instant.now().toString())
                .put("runs", runs)
                .put("settings", settings)
                .put("rule", view.body().path("rule").asText())
                .put("insert_every_ms", EVERY.toMillis())
                .put("pgbench", "scale %d, %d clients".formatted(PgbenchLoad.SCALE, PgbenchLoad.CLIENTS))
                .put("java", Runtime.version().toString())
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put(
                        "load_average",
                        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
        try (Statement statement = connection.createStatement()) {
            for (String name : List.of("server_version", "fsync", "synchronous_commit", "shared_buffers")) {
                try (ResultSet row = statement.executeQuery("SHOW " + name)) {
                    row.next();
                    out.put(name, row.getString(1));
                }
            }
        }
        return out.toString();
    }
}
