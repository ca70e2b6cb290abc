package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Strikes clusters and measures how long writes are away, as a client sees it.
 *
 * <p>Environment: {@code RUNS} rounds of each (30), {@code SCENARIOS} and {@code LOAD} (all, with commas), {@code MODE}
 * (quorum), {@code GOALS=off} judges lost and duplicated only, {@code PEER=patroni} runs Patroni through the same kills
 * after ours ({@code PEER_ONLY=yes}: instead), {@code BENCH_DIR} the clusters' folder, {@code RESULTS} the file of rounds by
 * which it goes on, {@code BENCH_PORT} the first SQL port, {@code PGBENCH} the program, {@code BROKEN} runs a test build
 * with that bug put back, {@code VERIFY_SECONDS} how long writes must go on before and after.
 *
 * <p>Prints a header, one JSON object a line per scenario and load, and a last line; exits with 1 when a goal is missed.
 */
public final class FailoverBench {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    /** What a peer can be struck by as ours can: it has no agent that could be paused apart from its node, and no such API. */
    private static final List<Scenario> OF_PEERS = List.of(Scenario.KILL_NODE, Scenario.KILL_POSTGRES);

    private static final List<String> LOADS = List.of("none", "pgbench");

    private final Map<String, String> env;
    private final int runs;
    private final String mode;
    private final boolean goals;
    private final List<String> loads;
    private final List<String> missed = new ArrayList<>();
    private final List<String> notRun = new ArrayList<>();

    private FailoverBench(Map<String, String> env) {
        this.env = new HashMap<>(env);
        // `make bench-failover RUNS=` sets it to nothing, which is as if it were not set.
        this.env.values().removeIf(String::isBlank);
        this.runs = Integer.parseInt(this.env.getOrDefault("RUNS", "30"));
        this.mode = this.env.getOrDefault("MODE", "quorum");
        this.goals = !this.env.getOrDefault("GOALS", "on").equals("off");
        this.loads = List.of(this.env
                .getOrDefault("LOADS", this.env.getOrDefault("LOAD", "none,pgbench"))
                .split(","));
        for (String load : loads) {
            if (!LOADS.contains(load)) {
                throw new IllegalArgumentException(
                        "there is no load '%s': LOAD is %s".formatted(load, String.join(" or ", LOADS)));
            }
        }
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
        if (!env.getOrDefault("PEER_ONLY", "no").equals("yes")) {
            measureOurs(scenarios);
        }
        if (env.containsKey("PEER")) {
            measurePeer(
                    env.get("PEER"),
                    scenarios.stream().filter(OF_PEERS::contains).toList());
        }
        ObjectNode last = MAPPER.createObjectNode().put("summary", missed.isEmpty() ? "goals met" : "goals missed");
        missed.forEach(last.putArray("missed")::add);
        notRun.forEach(last.putArray("not_run")::add);
        System.out.println(last.put("goals", goals ? "all" : "lost and duplicated only"));
        return missed.isEmpty() ? 0 : 1;
    }

    private void measureOurs(List<Scenario> scenarios) throws Exception {
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
                measureAll(ground, signals);
            }
        }
        if (possible.contains(Scenario.PARTITION)) {
            try (Ground ground = Ground.namespaces(env, mode)) {
                measureAll(ground, List.of(Scenario.PARTITION));
            }
        }
    }

    private void measurePeer(String peer, List<Scenario> scenarios) throws Exception {
        if (!peer.equals("patroni")) {
            throw new IllegalArgumentException("there is no peer '%s', only patroni".formatted(peer));
        }
        PatroniPrograms programs = PatroniPrograms.find(env.getOrDefault("PATH", ""));
        if (!programs.missing().isEmpty()) {
            notRun.add("peer patroni: " + programs.missing());
        } else if (!scenarios.isEmpty()) {
            try (Patroni patroni = Patroni.up(programs, Ground.folder(env), env)) {
                measureAll(patroni, scenarios);
            }
        }
    }

    private void measureAll(Contender cluster, List<Scenario> scenarios) throws Exception {
        try (Connection connection = cluster.sql().patient()) {
            OpenLoopWriter.createTable(connection);
            System.out.println(header(connection, cluster));
        }
        int steadyMs = 1_000 * Integer.parseInt(env.getOrDefault("VERIFY_SECONDS", "2"));
        Path results = Path.of(env.getOrDefault("RESULTS", "target/bench/failover.jsonl"));
        Rounds rounds = new Rounds(cluster, results, steadyMs, cluster.judged() && env.containsKey("BROKEN"));
        for (String load : loads) {
            measure(cluster, rounds, scenarios, load);
        }
    }

    private void measure(Contender cluster, Rounds rounds, List<Scenario> scenarios, String load) throws Exception {
        PgbenchLoad pgbench = null;
        if (load.equals("pgbench")) {
            Path program = Path.of(env.getOrDefault("PGBENCH", "/usr/bin/pgbench"));
            if (!Files.isExecutable(program)) {
                notRun.add("load pgbench: %s is not there".formatted(program));
                return;
            }
            pgbench = new PgbenchLoad(program, cluster.url(), cluster.folder().resolve("pgbench.log"));
            pgbench.initialise();
            pgbench.start();
        }
        try {
            for (Scenario scenario : scenarios) {
                Summary summary =
                        new Summary(cluster.name(), scenario, cluster.mode(), load, rounds.run(scenario, load, runs));
                System.out.println(summary.line());
                if (cluster.judged()) {
                    missed.addAll(summary.missed(goals));
                }
            }
        } finally {
            if (pgbench != null) {
                pgbench.close();
            }
        }
    }

    private String header(Connection connection, Contender cluster) throws Exception {
        ObjectNode out = MAPPER.createObjectNode()
                .put("bench", "failover")
                .put("cluster", cluster.name())
                .put("started", Instant.now().toString())
                .put("runs", runs)
                .put("settings", cluster.settings())
                .put("insert_every_ms", Rounds.EVERY.toMillis())
                .put("pgbench", "scale %d, %d clients".formatted(PgbenchLoad.SCALE, PgbenchLoad.CLIENTS))
                .put("java", Runtime.version().toString())
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put(
                        "load_average",
                        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
        cluster.describe(out);
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
