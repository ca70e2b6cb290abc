package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.Demo;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Measures how long a cluster takes to repair itself: nodes that come back by each rung of the rejoin ladder, a node that
 * is added, an election; and how far standbys are behind under load.
 *
 * <p>Environment: {@code RUNS} rounds of each (3), {@code SCENARIOS} (all, with commas), {@code SIZE} megabytes of WAL to
 * miss (1024), {@code LOAD} ({@code pgbench} with {@code PGBENCH} and {@code RATE} transactions a second, 0 for as many as
 * go, or {@code none}), {@code SCALE} of its tables (10), {@code MODE} (quorum), {@code LAG_SECONDS} (20), {@code
 * GOALS=off} judges the rungs only, {@code BENCH_DIR}, {@code RESULTS}, {@code BENCH_PORT} as the failover bench has them.
 *
 * <p>Prints a header, one JSON object a line per scenario, and a last line; exits with 1 when a goal is missed.
 */
public final class RepairBench {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String PG_REWIND = "pg_rewind";

    private final Map<String, String> env;
    private final int runs;
    private final int sizeMb;
    private final int rate;
    private final int scale;
    private final int lagSeconds;
    private final boolean loaded;
    private final String mode;
    private final Path results;
    private final String settings;

    private RepairBench(Map<String, String> environment) {
        this.env = new HashMap<>(environment);
        // `make bench-repair RUNS=` sets it to nothing, which is as if it were not set.
        this.env.values().removeIf(String::isBlank);
        this.runs = number("RUNS", 3);
        this.sizeMb = number("SIZE", 1024);
        this.rate = number("RATE", 0);
        this.scale = number("SCALE", PgbenchLoad.SCALE);
        this.lagSeconds = number("LAG_SECONDS", 20);
        this.loaded = loaded(this.env.getOrDefault("LOAD", "pgbench"));
        this.mode = this.env.getOrDefault("MODE", "quorum");
        this.results = Path.of(this.env.getOrDefault("RESULTS", "target/bench/repair.jsonl"));
        this.settings = "%s size=%dMB load=%s rate=%d scale=%d lag=%ds %s"
                .formatted(
                        mode,
                        sizeMb,
                        loaded ? "pgbench" : "none",
                        rate,
                        scale,
                        lagSeconds,
                        this.env.getOrDefault("QUANTADB_COMMIT", "uncommitted"));
    }

    private static boolean loaded(String load) {
        if (!load.equals("pgbench") && !load.equals("none")) {
            throw new IllegalArgumentException("there is no load '%s': LOAD is none or pgbench".formatted(load));
        }
        return load.equals("pgbench");
    }

    private int number(String name, int otherwise) {
        return Integer.parseInt(env.getOrDefault(name, Integer.toString(otherwise)));
    }

    public static void main(String[] args) throws Exception {
        System.exit(new RepairBench(System.getenv()).run());
    }

    private int run() throws Exception {
        List<RepairScenario> scenarios = env.containsKey("SCENARIOS")
                ? Arrays.stream(env.get("SCENARIOS").split(","))
                        .map(RepairScenario::of)
                        .toList()
                : List.of(RepairScenario.values());
        boolean goals = !env.getOrDefault("GOALS", "on").equals("off");
        List<String> missed = new ArrayList<>();
        List<String> notRun = new ArrayList<>();
        Map<String, String> extra = Map.of(
                "cluster.replication.commit_mode",
                mode,
                "postgres.parameters.max_slot_wal_keep_size",
                Math.max(4096, 4 * sizeMb) + "MB");
        try (Ground ground = Ground.loopback(env, mode, extra);
                Load load = load(ground, notRun)) {
            try (Connection connection = ground.sql().patient()) {
                System.out.println(header(connection));
            }
            Objects.requireNonNull(load);
            RepairRound rounds = new RepairRound(ground, sizeMb, lagSeconds);
            for (RepairScenario scenario : scenarios) {
                if (scenario.rung().equals("rewind") && !rounds.canRewind()) {
                    notRun.add(
                            "%s: there is no %s beside the PostgreSQL in use".formatted(scenario.label(), PG_REWIND));
                    continue;
                }
                RepairSummary summary = new RepairSummary(scenario, rounds(rounds, scenario));
                System.out.println(summary.line());
                missed.addAll(summary.missed(goals));
            }
        }
        ObjectNode last = MAPPER.createObjectNode().put("summary", missed.isEmpty() ? "goals met" : "goals missed");
        missed.forEach(last.putArray("missed")::add);
        notRun.forEach(last.putArray("not_run")::add);
        System.out.println(last.put("goals", goals ? "all" : "rungs only"));
        return missed.isEmpty() ? 0 : 1;
    }

    private interface Load extends AutoCloseable {
        @Override
        void close() throws InterruptedException;
    }

    private Load load(Ground ground, List<String> notRun) throws IOException, InterruptedException {
        Path program = Path.of(env.getOrDefault("PGBENCH", "/usr/bin/pgbench"));
        if (!loaded) {
            return () -> {};
        }
        if (!Files.isExecutable(program)) {
            notRun.add("load pgbench: %s is not there".formatted(program));
            return () -> {};
        }
        PgbenchLoad load = new PgbenchLoad(
                program,
                ground.demo().url(),
                ground.demo().passfile().resolveSibling("pgbench.log"),
                scale,
                rate == 0 ? List.of() : List.of("-R", Integer.toString(rate)));
        load.initialise();
        load.start();
        return load::close;
    }

    private List<RepairResult> rounds(RepairRound rounds, RepairScenario scenario) throws Exception {
        List<RepairResult> done = new ArrayList<>(RepairResult.read(results, settings).stream()
                .filter(r -> r.scenario().equals(scenario.label()))
                .limit(runs)
                .toList());
        while (done.size() < runs) {
            RepairRound.Outcome outcome = rounds.run(scenario);
            RepairResult result =
                    new RepairResult(settings, scenario.label(), done.size() + 1, outcome.rung(), outcome.measured());
            result.append(results);
            done.add(result);
            System.err.println("# " + result.line());
        }
        return done;
    }

    private String header(Connection connection) throws SQLException {
        ObjectNode out = MAPPER.createObjectNode()
                .put("bench", "repair")
                .put("started", Instant.now().toString())
                .put("runs", runs)
                .put("settings", settings)
                .put("nodes", Demo.NODES)
                .put("size_mb", sizeMb)
                .put(
                        "load",
                        loaded
                                ? "pgbench scale %d, %d clients, %s"
                                        .formatted(
                                                scale,
                                                PgbenchLoad.CLIENTS,
                                                rate == 0 ? "as many as go" : rate + " transactions a second")
                                : "none")
                .put("java", Runtime.version().toString())
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put(
                        "load_average",
                        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
        try (Statement statement = connection.createStatement()) {
            for (String name : List.of("server_version", "fsync", "synchronous_commit", "max_wal_size")) {
                try (ResultSet row = statement.executeQuery("SHOW " + name)) {
                    row.next();
                    out.put(name, row.getString(1));
                }
            }
            try (ResultSet row =
                    statement.executeQuery("SELECT sum(pg_database_size(oid))::bigint >> 20 FROM pg_database")) {
                row.next();
                out.put("data_mb", row.getLong(1));
            }
        }
        return out.toString();
    }
}
