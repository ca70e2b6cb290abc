package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.Objects;

/**
 * What an agent costs: seconds from start to ready, resident memory, commit latency and WAL throughput beside
 * bare servers with the same durability.
 *
 * <p>Both clusters run at the same time and are measured in turn, one round each, while the other has nothing to do: a
 * machine whose disk or processor is another from one minute to the next would make anything else a comparison of minutes.
 * Bare servers stream over TCP on loopback, in one round in the clear and in another under PostgreSQL's own TLS, since
 * ours is always encrypted. The goal is judged by the clear one. Beside each rate stands what a megabyte costs in processor
 * time, of each process that it passes.
 *
 * <p>Environment: {@code BENCH_DIR}, {@code BENCH_PORT}, {@code PG_BIN} (/usr/lib/postgresql/15/bin), {@code COMMITS}
 * (2000), {@code WAL_MB} (256), {@code ROUNDS} (7), {@code GOALS=off}. One JSON object a line; exits with 1 when a goal is
 * missed.
 */
public final class NodeBench {
    private static final double MEMORY_GOAL_MIB = 107;
    private static final double WAL_GOAL = 0.95;
    private static final int WARM_UPS = 2;
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
        int rounds = Integer.parseInt(env.getOrDefault("ROUNDS", "7"));
        MeasuredPair.Work work = new MeasuredPair.Work(Math.max(1, commits / rounds), walMb);
        Path bareFolder = folder.resolve("bare");
        try (BareServers bare = bare(bareFolder, env, port + 100);
                Ours ours = Ours.start(folder.resolve("cluster"), env, port)) {
            MeasuredPair relayed = new MeasuredPair("quantadb", "mTLS through two agents", ours::session);
            MeasuredPair direct = pair(bare, BareServers.Wire.TCP);
            MeasuredPair directTls = pair(bare, BareServers.Wire.TLS);
            List<MeasuredPair> all = List.of(relayed, direct, directTls);
            for (int round = -WARM_UPS; round < rounds; round++) {
                for (MeasuredPair one : all) {
                    if (round < 0) {
                        one.warmUp(work);
                    } else {
                        one.round(work);
                    }
                }
            }
            all.forEach(one -> System.out.println(one.line(MAPPER)));
            ratios(relayed, direct, directTls, missed);
            ours.tellMemory(missed);
            ours.tellRestart();
        } finally {
            removeTree(bareFolder);
        }
        boolean goals = !env.getOrDefault("GOALS", "on").equals("off");
        ObjectNode last = MAPPER.createObjectNode().put("summary", missed.isEmpty() ? "goals met" : "goals missed");
        missed.forEach(last.putArray("missed")::add);
        System.out.println(last);
        return missed.isEmpty() || !goals ? 0 : 1;
    }

    private static void ratios(MeasuredPair relayed, MeasuredPair direct, MeasuredPair directTls, List<String> missed) {
        double wal = relayed.walRatioTo(direct);
        System.out.println(MAPPER.createObjectNode()
                .put("measure", "ratio")
                .put("commit_to_bare", hundredth(relayed.commitMs() / direct.commitMs()))
                .put("commit_to_bare_tls", hundredth(relayed.commitMs() / directTls.commitMs()))
                .put("relay_to_direct", hundredth(wal))
                .put("relay_to_direct_tls", hundredth(relayed.walRatioTo(directTls))));
        if (wal < WAL_GOAL) {
            missed.add("WAL through the relay %.2f of direct < %.2f".formatted(wal, WAL_GOAL));
        }
    }

    /** Our cluster of three. */
    private record Ours(Demo demo, String password) implements AutoCloseable {
        static Ours start(Path folder, Map<String, String> env, int port) throws IOException {
            Demo demo = new Demo(folder, Ground.withLauncher(env), line -> System.err.println("# " + line));
            long begun = System.nanoTime();
            try {
                demo.up(new Demo.Start(List.of(port), "info", Map.of(), Demo.START_DEADLINE));
                System.out.println(MAPPER.createObjectNode()
                        .put("measure", "form a cluster of three")
                        .put("seconds", hundredth((System.nanoTime() - begun) / 1e9)));
                return new Ours(demo, ClusterSql.passwordFrom(demo.passfile()));
            } catch (IOException | RuntimeException e) {
                demo.down(true);
                throw e;
            }
        }

        MeasuredPair.Session session() throws SQLException {
            DemoNode standby = withRole(true);
            DemoNode primary = withRole(false);
            // By the primary's own node, as one reaches a bare primary.
            ClusterSql sql = new ClusterSql(List.of(primary.primaryListener().toString()), password);
            return new MeasuredPair.Session(
                    sql.patient(),
                    sql.local(standby.localListener().toString()),
                    standby.postgresData(),
                    "quantadb\\_" + standby.id() + "\\_%",
                    ProcessCpu.of(pid(primary), pid(standby)));
        }

        private DemoNode withRole(boolean standby) throws SQLException {
            ClusterSql sql = new ClusterSql(List.of(), password);
            for (DemoNode node : demo.nodes()) {
                try (Connection connection = sql.local(node.localListener().toString());
                        Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery("SELECT pg_is_in_recovery()")) {
                    row.next();
                    if (row.getBoolean(1) == standby) {
                        return node;
                    }
                }
            }
            throw new SQLException("no node of %s is a %s".formatted(demo.nodes(), standby ? "standby" : "primary"));
        }

        void tellMemory(List<String> missed) throws IOException {
            for (DemoNode node : demo.nodes()) {
                double mib = residentMib(Files.readString(Path.of("/proc", Long.toString(pid(node)), "status")));
                System.out.println(MAPPER.createObjectNode()
                        .put("measure", "agent memory")
                        .put("node", node.id().value())
                        .put("resident_mib", hundredth(mib)));
                if (mib > MEMORY_GOAL_MIB) {
                    missed.add("%s holds %.0f MiB > %.0f MiB".formatted(node.id(), mib, MEMORY_GOAL_MIB));
                }
            }
        }

        void tellRestart() {
            long begun = System.nanoTime();
            demo.restart(demo.nodes().getLast().id(), Demo.START_DEADLINE);
            demo.awaitReady(Demo.START_DEADLINE, System.nanoTime());
            System.out.println(MAPPER.createObjectNode()
                    .put("measure", "stop and start a replica until ready")
                    .put("seconds", hundredth((System.nanoTime() - begun) / 1e9)));
        }

        private static long pid(DemoNode node) {
            return Objects.requireNonNull(node.agent()).pid();
        }

        @Override
        public void close() {
            demo.down(true);
        }
    }

    private static BareServers bare(Path folder, Map<String, String> env, int port) throws Exception {
        Path bin = Path.of(env.getOrDefault("PG_BIN", "/usr/lib/postgresql/15/bin"));
        // What an interrupted bench left: its servers are asked to end by closing, its files are in the way.
        new BareServers(bin, folder, port).close();
        removeTree(folder);
        BareServers servers = new BareServers(bin, folder, port);
        try {
            servers.start();
            return servers;
        } catch (IOException | InterruptedException | RuntimeException e) {
            servers.close();
            throw e;
        }
    }

    private static MeasuredPair pair(BareServers servers, BareServers.Wire wire) {
        return new MeasuredPair("bare PostgreSQL", wire.name(), () -> {
            servers.stream(wire);
            return new MeasuredPair.Session(
                    servers.connect(0),
                    servers.connect(1),
                    servers.dataDirectory(1),
                    BareServers.streamName(1),
                    ProcessCpu.of());
        });
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
        return Statistics.hundredth(value);
    }
}
