package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.Demo;
import io.quantadb.node.cli.DemoNode;
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
import java.util.List;
import java.util.Map;

/**
 * What an agent costs: seconds from start to ready, resident memory, commit latency and WAL throughput beside
 * bare servers with the same durability.
 *
 * <p>Environment: {@code BENCH_DIR}, {@code BENCH_PORT}, {@code PG_BIN} (/usr/lib/postgresql/15/bin), {@code COMMITS}
 * (2000), {@code WAL_MB} (256), {@code GOALS=off}. One JSON object a line; exits with 1 when a goal is missed.
 */
public final class NodeBench {
    private static final double MEMORY_GOAL_MIB = 107;
    private static final double WAL_GOAL = 0.95;
    private static final int WAL_ROUNDS = 5;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private NodeBench() {}

    public static void main(String[] args) throws Exception {
        System.exit(run(System.getenv()));
    }

    private static int run(Map<String, String> env) throws Exception {
        boolean root = System.getProperty("user.name").equals("root");
        Path folder = Path.of(env.getOrDefault(
                        "BENCH_DIR",
                        root
                                ? "/var/lib/quantadb/bench-node"
                                : System.getProperty("user.home") + "/.local/state/quantadb/bench-node"))
                .toAbsolutePath();
        int port = Integer.parseInt(env.getOrDefault("BENCH_PORT", "20832"));
        int commits = Integer.parseInt(env.getOrDefault("COMMITS", "2000"));
        int walMb = Integer.parseInt(env.getOrDefault("WAL_MB", "256"));
        List<String> missed = new ArrayList<>();
        System.out.println(MAPPER.createObjectNode()
                .put("bench", "node")
                .put("started", Instant.now().toString())
                .put("java", Runtime.version().toString())
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put(
                        "load_average",
                        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()));
        double[] ours = ours(folder.resolve("cluster"), env, port, commits, walMb, missed);
        double[] bare = bare(folder.resolve("bare"), env, port + 100, commits, walMb);
        ObjectNode ratio = MAPPER.createObjectNode()
                .put("measure", "ratio")
                .put("commit_p50", hundredth(ours[0] / bare[0]))
                .put("wal", hundredth(ours[1] / bare[1]));
        System.out.println(ratio);
        if (ours[1] / bare[1] < WAL_GOAL) {
            missed.add("WAL through the relay %.2f of direct < %.2f".formatted(ours[1] / bare[1], WAL_GOAL));
        }
        boolean goals = !env.getOrDefault("GOALS", "on").equals("off");
        ObjectNode last = MAPPER.createObjectNode().put("summary", missed.isEmpty() ? "goals met" : "goals missed");
        missed.forEach(last.putArray("missed")::add);
        System.out.println(last);
        return missed.isEmpty() || !goals ? 0 : 1;
    }

    /** Commit latency p50 and WAL rate of our cluster of three. */
    private static double[] ours(
            Path folder, Map<String, String> env, int port, int commits, int walMb, List<String> missed)
            throws Exception {
        Demo demo = new Demo(folder, Ground.withLauncher(env), line -> System.err.println("# " + line));
        long begun = System.nanoTime();
        demo.up(new Demo.Start(List.of(port), "info", Map.of(), Demo.START_DEADLINE));
        System.out.println(MAPPER.createObjectNode()
                .put("measure", "form a cluster of three")
                .put("seconds", hundredth((System.nanoTime() - begun) / 1e9)));
        try {
            ClusterSql sql = new ClusterSql(
                    demo.nodes().stream()
                            .map(n -> n.primaryListener().toString())
                            .toList(),
                    ClusterSql.passwordFrom(demo.passfile()));
            double[] out;
            try (Connection connection = sql.patient()) {
                DemoNode standby = standby(demo, sql);
                try (Connection reader = sql.local(standby.localListener().toString())) {
                    out = measure("quantadb", connection, reader, standby.postgresData(), commits, walMb);
                }
            }
            for (DemoNode node : demo.nodes()) {
                double mib = residentMib(Files.readString(
                        Path.of("/proc", Long.toString(node.agent().pid()), "status")));
                System.out.println(MAPPER.createObjectNode()
                        .put("measure", "agent memory")
                        .put("node", node.id().value())
                        .put("resident_mib", hundredth(mib)));
                if (mib > MEMORY_GOAL_MIB) {
                    missed.add("%s holds %.0f MiB > %.0f MiB".formatted(node.id(), mib, MEMORY_GOAL_MIB));
                }
            }
            DemoNode last = demo.nodes().getLast();
            begun = System.nanoTime();
            demo.restart(last.id(), Demo.START_DEADLINE);
            demo.awaitReady(Demo.START_DEADLINE, System.nanoTime());
            System.out.println(MAPPER.createObjectNode()
                    .put("measure", "stop and start a replica until ready")
                    .put("seconds", hundredth((System.nanoTime() - begun) / 1e9)));
            return out;
        } finally {
            demo.down(true);
        }
    }

    private static double[] bare(Path folder, Map<String, String> env, int port, int commits, int walMb)
            throws Exception {
        Path bin = Path.of(env.getOrDefault("PG_BIN", "/usr/lib/postgresql/15/bin"));
        // What an interrupted bench left: its servers are asked to end by closing, its files are in the way.
        new BareServers(bin, folder, port).close();
        removeTree(folder);
        try (BareServers pair = new BareServers(bin, folder, port)) {
            pair.start();
            try (Connection connection = pair.connect(0);
                    Connection reader = pair.connect(1)) {
                return measure("bare PostgreSQL", connection, reader, pair.dataDirectory(1), commits, walMb);
            }
        } finally {
            removeTree(folder);
        }
    }

    private static DemoNode standby(Demo demo, ClusterSql sql) throws SQLException {
        for (DemoNode node : demo.nodes()) {
            try (Connection connection = sql.local(node.localListener().toString());
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT pg_is_in_recovery()")) {
                row.next();
                if (row.getBoolean(1)) {
                    return node;
                }
            }
        }
        throw new SQLException("no node of %s is a standby".formatted(demo.nodes()));
    }

    /** Commit latency p50 in ms and the median WAL rate, of a primary of two standbys, one of which acknowledges. */
    private static double[] measure(
            String who, Connection connection, Connection standby, Path standbyData, int commits, int walMb)
            throws Exception {
        double[] latency = SqlMeasures.commitLatencyMs(connection, commits);
        double[] wal = new double[WAL_ROUNDS];
        for (int round = 0; round < WAL_ROUNDS; round++) {
            wal[round] = SqlMeasures.catchUpMbPerSecond(connection, standby, WalReceiver.of(standbyData), walMb);
        }
        double p50 = Statistics.percentile(latency, 0.5);
        double rate = Statistics.percentile(wal, 0.5);
        ObjectNode line = MAPPER.createObjectNode()
                .put("measure", "commits and WAL")
                .put("who", who)
                .put("rule", "ANY 1 of 2 standbys")
                .put("server", connection.getMetaData().getDatabaseProductVersion())
                .put("commit_p50_ms", hundredth(p50))
                .put("commit_p99_ms", hundredth(Statistics.percentile(latency, 0.99)))
                .put("wal_mb_per_second", hundredth(rate));
        ArrayNode rounds = line.putArray("wal_rounds");
        for (double one : wal) {
            rounds.add(hundredth(one));
        }
        System.out.println(line);
        return new double[] {p50, rate};
    }

    /** The resident memory that /proc/PID/status tells, in MiB. */
    static double residentMib(String status) {
        return status.lines()
                .filter(line -> line.startsWith("VmRSS:"))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToDouble(kb -> Double.parseDouble(kb) / 1024)
                .findFirst()
                .orElse(Double.NaN);
    }

    private static void removeTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (var all = Files.walk(folder)) {
            for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static double hundredth(double value) {
        return Math.round(value * 100) / 100.0;
    }
}
