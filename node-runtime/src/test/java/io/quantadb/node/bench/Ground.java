package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.CertificateAuthority;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.Demo;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.pki.TlsFiles;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A running cluster of three for a bench: on loopback, or with each node in a network namespace of its own. */
final class Ground implements Contender {
    private static final Duration LEADER_DEADLINE = Duration.ofSeconds(30);
    private static final String BROKEN_MAIN = "io.quantadb.node.bench.BrokenNode";

    private final Demo demo;
    private final @Nullable Namespaces network;
    private final boolean keep;
    private final String mode;
    private final String settings;

    private final Thread whenKilled = new Thread(this::end, "bench-cleanup");
    private final AtomicBoolean ended = new AtomicBoolean();

    private Ground(Demo demo, @Nullable Namespaces network, boolean keep, String mode, String settings) {
        this.mode = mode;
        this.settings = settings;
        this.demo = demo;
        this.network = network;
        this.keep = keep;
        // A bench that is told to stop leaves neither nodes nor networks behind.
        Runtime.getRuntime().addShutdownHook(whenKilled);
    }

    /** Why the scenario cannot be run here; empty when it can. */
    static String missing(Scenario scenario) {
        if (scenario != Scenario.PARTITION) {
            return "";
        }
        return authority().isEmpty() ? "there is no certificate authority on the class path" : Namespaces.missing();
    }

    static Ground loopback(Map<String, String> env, String mode) throws IOException {
        return loopback(env, mode, Map.of());
    }

    /** @param extra settings of every node */
    static Ground loopback(Map<String, String> env, String mode, Map<String, String> extra) throws IOException {
        int first = Integer.parseInt(env.getOrDefault("BENCH_PORT", "20432"));
        Demo demo = new Demo(
                folder(env).resolve("loopback"), withLauncher(env), Ground::say, Machines.LOOPBACK, agentCommand(env));
        return up(demo, null, env, mode, List.of(first, first + 100, first + 200), extra);
    }

    static Ground namespaces(Map<String, String> env, String mode) throws IOException {
        Path folder = folder(env).resolve("namespaces");
        Path tls = Files.createDirectories(folder.resolveSibling("tls"));
        Namespaces network = Namespaces.create(Demo.NODES);
        try {
            CertificateAuthority authority = authority().orElseThrow();
            authority.createAuthority(tls, "bench");
            for (int i = 0; i < Demo.NODES; i++) {
                authority.issueNode(
                        tls,
                        new io.quantadb.node.common.NodeId("node" + (i + 1)),
                        List.of(Namespaces.host(i)),
                        Duration.ofDays(30));
            }
            Machines machines = new Machines(
                    IntStream.range(0, Demo.NODES).mapToObj(Namespaces::host).toList(),
                    IntStream.range(0, Demo.NODES).mapToObj(Namespaces::prefix).toList(),
                    new TlsFiles(tls.resolve("ca.crt"), tls.resolve("node1.crt"), tls.resolve("node1.key")));
            Demo demo = new Demo(folder, withLauncher(env), Ground::say, machines, agentCommand(env));
            return up(demo, network, env, mode, List.of(5432), Map.of("tls.dir", tls.toString()));
        } catch (RuntimeException e) {
            network.close();
            throw e;
        }
    }

    private static Ground up(
            Demo demo,
            @Nullable Namespaces network,
            Map<String, String> env,
            String mode,
            List<Integer> bases,
            Map<String, String> extra) {
        Map<String, String> settings = new HashMap<>(extra);
        settings.put("cluster.replication.commit_mode", mode);
        demo.up(new Demo.Start(bases, "info", settings, Demo.START_DEADLINE));
        return new Ground(
                demo,
                network,
                !env.getOrDefault("KEEP", "no").equals("no"),
                mode,
                "%s every=%dms broken=%s %s"
                        .formatted(
                                mode,
                                Rounds.EVERY.toMillis(),
                                env.getOrDefault("BROKEN", "no"),
                                env.getOrDefault("QUANTADB_COMMIT", "uncommitted")));
    }

    private static Optional<CertificateAuthority> authority() {
        return ServiceLoader.load(CertificateAuthority.class).findFirst();
    }

    private static void say(String line) {
        System.err.println("# " + line);
    }

    static Path folder(Map<String, String> env) {
        String usual = System.getProperty("user.name").equals("root")
                ? "/var/lib/quantadb/bench"
                : System.getProperty("user.home") + "/.local/state/quantadb/bench";
        return Path.of(env.getOrDefault("BENCH_DIR", usual)).toAbsolutePath();
    }

    /** The shipped program, as users start it, when it is built. */
    static Map<String, String> withLauncher(Map<String, String> env) {
        Path script = Path.of("bin", "quantadb").toAbsolutePath();
        if (env.containsKey("QUANTADB_LAUNCHER") || !Files.isExecutable(script)) {
            return env;
        }
        Map<String, String> out = new HashMap<>(env);
        out.put("QUANTADB_LAUNCHER", script.toString());
        return out;
    }

    /** With {@code BROKEN} set, agents are a test build: {@code BrokenNode} of the test scope, which reads BROKEN. */
    static List<String> agentCommand(Map<String, String> env) {
        if (!env.containsKey("BROKEN") || env.get("BROKEN").isEmpty()) {
            return List.of();
        }
        try {
            Class.forName(BROKEN_MAIN, false, Ground.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalArgumentException(
                    "there is no test build %s for BROKEN=%s".formatted(BROKEN_MAIN, env.get("BROKEN")), e);
        }
        List<String> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            classPath.add(Path.of(entry).toAbsolutePath().toString());
        }
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                String.join(File.pathSeparator, classPath),
                BROKEN_MAIN);
    }

    Demo demo() {
        return demo;
    }

    @Nullable
    Namespaces network() {
        return network;
    }

    ClusterClient.View view() {
        return demo.view().orElseThrow();
    }

    @Override
    public String name() {
        return "quantadb";
    }

    @Override
    public String settings() {
        return settings;
    }

    @Override
    public String mode() {
        return mode;
    }

    @Override
    public boolean judged() {
        return true;
    }

    @Override
    public String url() {
        return demo.url();
    }

    @Override
    public Path folder() {
        return demo.passfile().toAbsolutePath().getParent();
    }

    @Override
    public long awaitReady() {
        return demo.awaitReady(Demo.START_DEADLINE, System.nanoTime()).epoch();
    }

    @Override
    public long epoch() {
        return view().epoch();
    }

    @Override
    public Blow blow(Scenario scenario) throws IOException, InterruptedException {
        DemoNode primary = node(view().primary());
        return switch (scenario) {
            case DOUBLE_FAILOVER -> new DoubleFailover(demo, primary);
            case SLOW_STANDBY -> {
                awaitLeaderAtPrimary();
                yield new SlowStandby(demo, primary);
            }
            default -> new Fault(demo, scenario, primary, network);
        };
    }

    @Override
    public void describe(ObjectNode header) {
        header.put("rule", view().body().path("rule").asText());
    }

    @Override
    public ClusterSql sql() throws IOException {
        return new ClusterSql(
                demo.nodes().stream().map(n -> n.primaryListener().toString()).toList(),
                ClusterSql.passwordFrom(demo.passfile()));
    }

    /** Leadership follows the primary after a moment; a standby that leads would be missed for that. */
    private void awaitLeaderAtPrimary() throws IOException, InterruptedException {
        long giveUp = System.nanoTime() + LEADER_DEADLINE.toNanos();
        for (ClusterClient.View now = view(); !now.leader().equals(now.primary()); now = view()) {
            if (System.nanoTime() > giveUp) {
                throw new IOException("%s leads, and not the primary %s".formatted(now.leader(), now.primary()));
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    DemoNode node(String id) {
        return demo.nodes().stream()
                .filter(n -> n.id().value().equals(id))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() {
        end();
        try {
            Runtime.getRuntime().removeShutdownHook(whenKilled);
        } catch (IllegalStateException e) {
            // It runs already, and finds nothing left to do.
        }
    }

    private void end() {
        if (ended.compareAndSet(false, true)) {
            demo.down(!keep);
            if (network != null) {
                network.close();
            }
        }
    }
}
