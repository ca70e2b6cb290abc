package io.quantadb.node.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.bench.ClusterSql;
import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.CertificateAuthority;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.Demo;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pki.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * A real cluster of three whose nodes reach each other through a {@link FaultProxy} only. Any thread; strikes that touch
 * one node's processes take turns by {@link #occupy}.
 */
final class ChaosCluster implements AutoCloseable {
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(40);
    private static final Duration SQL_DEADLINE = Duration.ofSeconds(5);
    private static final int SWITCHOVER_TRIES = 3;
    private static final Duration VALIDITY = Duration.ofDays(30);
    private static final String OPERATOR = "operator";

    private final Demo demo;
    private final LinkPlan plan;
    private final FaultProxy proxy;
    private final Optional<SmallDisk> smallDisk;
    private final Trace trace;
    private final Path folder;
    private final ChaosSettings.Keep keep;
    private final LinkLayers layers;
    private final Set<Integer> occupied = new HashSet<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Operator operator;
    private final Modes modes;
    private final Removals removals;
    private final Optional<IoBrake> brake;
    private final String brakeMissing;
    private boolean diskSpent;
    private boolean memberSpent;

    private ChaosCluster(
            Demo demo,
            LinkPlan plan,
            FaultProxy proxy,
            Optional<SmallDisk> smallDisk,
            ChaosSettings settings,
            ClusterClient client,
            Trace trace) {
        this.demo = demo;
        this.plan = plan;
        this.proxy = proxy;
        this.layers = new LinkLayers(proxy::set);
        this.smallDisk = smallDisk;
        this.trace = trace;
        this.folder = settings.folder();
        this.keep = settings.keep();
        this.operator = new Operator(client, this::nodes);
        this.modes = new Modes(operator, this::view, settings.mode());
        this.removals = new Removals(this, operator);
        Optional<IoBrake> found = Optional.empty();
        String why = "";
        try {
            found = Optional.of(IoBrake.open(folder));
        } catch (IOException e) {
            why = String.valueOf(e.getMessage());
        }
        this.brake = found;
        this.brakeMissing = why;
    }

    /** Forms a new cluster in a folder of its own, in which nothing else may be. */
    static ChaosCluster form(ChaosSettings settings, Consumer<String> say, Trace trace)
            throws IOException, SQLException {
        Path folder = Files.createDirectories(settings.folder());
        if (System.getProperty("user.name").equals("root")) {
            // PostgreSQL is another user then, who must get to its data whatever the umask was.
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        LinkPlan plan = settings.plan();
        Path tls = Files.createDirectories(folder.resolve("tls"));
        CertificateAuthority authority =
                ServiceLoader.load(CertificateAuthority.class).findFirst().orElseThrow();
        authority.createAuthority(tls, "chaos");
        List<List<String>> prefixes = new ArrayList<>();
        for (int i = 0; i < plan.nodes(); i++) {
            authority.issueNode(tls, new NodeId(LinkPlan.id(i)), List.of(plan.host(i), LinkPlan.name(i)), VALIDITY);
            prefixes.add(plan.prefix(i, folder));
        }
        authority.issueCaller(tls, new NodeId(OPERATOR), true, VALIDITY);
        TlsFiles operator =
                new TlsFiles(tls.resolve("ca.crt"), tls.resolve(OPERATOR + ".crt"), tls.resolve(OPERATOR + ".key"));
        Machines machines = new Machines(
                IntStream.range(0, plan.nodes()).mapToObj(plan::host).toList(), prefixes, operator);
        Demo demo = new Demo(folder.resolve("c"), settings.environment(), say, machines, settings.agentCommand());
        removeLeftOver(demo, folder, plan.nodes() - 1);
        FaultProxy proxy = new FaultProxy(settings.seed());
        plan.routes().forEach(proxy::listen);
        Optional<SmallDisk> disk = smallDisk(plan.nodes() - 1, folder, say);
        ClusterClient client = ClusterClient.showing(operator.ca(), operator.cert(), operator.key());
        ChaosCluster out = new ChaosCluster(demo, plan, proxy, disk, settings, client, trace);
        try {
            Map<String, String> extra = new LinkedHashMap<>(settings.nodeSettings());
            extra.put("tls.dir", tls.toString());
            demo.up(new Demo.Start(List.of(plan.firstPort()), "info", extra, Demo.START_DEADLINE));
            try (Connection connection = out.sql().patient()) {
                OpenLoopWriter.createTable(connection);
            }
            return out;
        } catch (RuntimeException | SQLException e) {
            out.close(false);
            throw e;
        }
    }

    /** Ends and removes what a run that was killed has left in this folder. */
    private static void removeLeftOver(Demo demo, Path folder, int diskNode) {
        if (Files.exists(folder.resolve("c").resolve("demo.json"))) {
            demo.down(false);
            SmallDisk.unmountLeftOver(dataOf(folder, diskNode));
            demo.down(true);
        }
    }

    private static Path dataOf(Path folder, int node) {
        return folder.resolve("c").resolve(LinkPlan.id(node)).resolve("data");
    }

    private static Optional<SmallDisk> smallDisk(int node, Path folder, Consumer<String> say) {
        try {
            return Optional.of(SmallDisk.mount(node, dataOf(folder, node)));
        } catch (IOException e) {
            say.accept("NOT RUN full-disk: %s (%s)".formatted(SmallDisk.missing(), e.getMessage()));
            return Optional.empty();
        }
    }

    // ---- what it looks like

    int size() {
        return plan.nodes();
    }

    FaultProxy proxy() {
        return proxy;
    }

    Optional<SmallDisk> smallDisk() {
        return smallDisk;
    }

    Optional<IoBrake> brake() {
        return brake;
    }

    /** Why no disk can be made slow here; empty when it can. */
    String brakeMissing() {
        return brakeMissing;
    }

    DemoNode node(int index) {
        return nodes().get(index);
    }

    private List<DemoNode> nodes() {
        synchronized (demo) {
            return demo.nodes();
        }
    }

    Optional<ClusterClient.View> view() {
        return demo.view();
    }

    /** Which node is primary, as the best informed one says; -1 when nobody knows. */
    int primaryIndex() {
        return indexOf(view().map(ClusterClient.View::primary).orElse(""));
    }

    private int indexOf(String id) {
        return IntStream.range(0, size())
                .filter(i -> LinkPlan.id(i).equals(id))
                .findFirst()
                .orElse(-1);
    }

    /** The highest epoch that anybody tells; -1 when nobody answers. */
    long epoch() {
        return view().map(ClusterClient.View::epoch).orElse(-1L);
    }

    String password() throws IOException {
        return ClusterSql.passwordFrom(demo.passfile());
    }

    ClusterSql sql() throws IOException {
        return new ClusterSql(
                IntStream.range(0, size())
                        .mapToObj(i -> plan.host(i) + ":" + plan.ports(i).primary())
                        .toList(),
                password());
    }

    /** A session with the node's server behind its agent's back. */
    PgConnection behind(int index) {
        return PgConnection.connect(
                PgConnection.socketIn(
                        node(index).folder().resolve("data").resolve("run").resolve("pg"), 5432),
                Map.of("user", "quantadb", "database", "postgres", "application_name", "chaos"),
                SQL_DEADLINE);
    }

    // ---- what operators ask for

    Modes modes() {
        return modes;
    }

    Removals removals() {
        return removals;
    }

    /** Keeps a node from being promoted, or lets it again. */
    void maintain(int pick, int node, boolean on) throws Strike.Skipped {
        trace.say("        at node%d".formatted(node + 1));
        operator.ask(
                pick,
                "/cluster/members/maintenance",
                Operator.body().put("node", LinkPlan.id(node)).put("maintenance", on));
    }

    /**
     * Asks as people do who were told that the primary has changed meanwhile: again, another node.
     *
     * @param target empty for whoever is best
     */
    void switchOver(int pick, String target, int drainMs) throws Strike.Skipped {
        trace.say("        to %s".formatted(target.isEmpty() ? "the best" : target));
        for (int tries = 1; ; tries++) {
            try {
                operator.ask(
                        pick + tries,
                        "/cluster/switchover",
                        Operator.body()
                                .put("target", target)
                                .put("timeout", "10s")
                                .put("drain", drainMs + "ms"));
                return;
            } catch (Operator.Refused e) {
                if (tries == SWITCHOVER_TRIES) {
                    throw e;
                }
                trace.say("        " + e.getMessage());
            }
        }
    }

    /** Has a node copied anew, unless commits would have to wait for it. */
    void resync(int pick, int node) throws Strike.Skipped {
        trace.say("        at node%d".formatted(node + 1));
        operator.ask(pick, "/_raft/force-resync?target=" + LinkPlan.id(node), Operator.body());
    }

    // ---- links

    /** Adds faults to links; what other strikes have imposed on them stays. */
    Strike.Undo impose(Collection<Link> links, LinkFaults faults) {
        trace.say("        %s: %s".formatted(links, faults));
        return layers.impose(links, faults);
    }

    void mendLinks() {
        layers.clear(Link.all(size()));
    }

    // ---- processes

    /** A node's processes belong to one strike until it lets go. */
    interface Hold {
        void release();
    }

    Hold occupy(int index) throws Strike.Skipped {
        synchronized (occupied) {
            if (!occupied.add(index)) {
                throw new Strike.Skipped("another strike has the node");
            }
        }
        trace.say("        at node%d".formatted(index + 1));
        return () -> {
            synchronized (occupied) {
                occupied.remove(index);
            }
        };
    }

    ProcessMark agent(int index) throws Strike.Skipped {
        ProcessMark agent = node(index).agent();
        if (agent == null || !agent.isAlive()) {
            throw new Strike.Skipped("its agent does not run");
        }
        return agent;
    }

    void ensureStarted(int index) {
        synchronized (demo) {
            if (closed.get()) {
                return;
            }
            DemoNode node = demo.nodes().get(index);
            if (!node.running()) {
                demo.start(node.id());
            }
        }
    }

    /** Ends agent and server at once, and returns when they are gone. */
    void kill(int index) throws IOException, InterruptedException {
        DemoNode node = node(index);
        ProcessMark agent = node.agent();
        if (agent != null) {
            agent.kill();
            awaitEnd(agent);
        }
        List<ProcessMark> postgres = NodeProcesses.postgresTree(node.postgresData());
        postgres.forEach(ProcessMark::kill);
        for (ProcessMark process : postgres) {
            awaitEnd(process);
        }
    }

    /** Takes everything from the disk of a node that does not run; the folder stays, since a file system may stand there. */
    void emptyDisk(int index) throws IOException {
        Path data = dataOf(folder, index);
        try (var walk = Files.walk(data)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                if (!path.equals(data)) {
                    Files.deleteIfExists(path);
                }
            }
        }
    }

    /**
     * What is on one disk alone is lost with it by right, and so is a majority of two voters with one of them: one disk,
     * and no other change of the membership, until all members are whole again.
     */
    synchronized void spendDisk() throws Strike.Skipped {
        if (modes.changed()) {
            throw new Strike.Skipped("commits may be on the primary alone");
        }
        if (diskSpent || memberSpent) {
            throw new Strike.Skipped("a disk was lost, or a member removed, in this round already");
        }
        diskSpent = true;
    }

    /** A member may be removed; any number in a round, one after the other. */
    synchronized void spendMember() throws Strike.Skipped {
        if (diskSpent) {
            throw new Strike.Skipped("a disk was lost in this round");
        }
        memberSpent = true;
    }

    private synchronized void wholeAgain() {
        diskSpent = false;
        memberSpent = false;
    }

    void awaitEnd(ProcessMark process) throws IOException, InterruptedException {
        long giveUp = System.nanoTime() + STOP_DEADLINE.toNanos();
        while (process.isAlive()) {
            if (System.nanoTime() > giveUp) {
                throw new IOException("process %d did not end within %s".formatted(process.pid(), STOP_DEADLINE));
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    static void signal(String which, List<ProcessMark> processes) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", which));
        processes.stream()
                .filter(ProcessMark::isAlive)
                .map(mark -> Long.toString(mark.pid()))
                .forEach(command::add);
        if (command.size() == 2) {
            return;
        }
        Process kill = new ProcessBuilder(command).redirectErrorStream(true).start();
        if (!kill.waitFor(5, TimeUnit.SECONDS)) {
            kill.destroyForcibly();
            throw new IOException("kill did not end");
        }
    }

    /** Mends the links and gives every node an agent; what else is needed the cluster does by itself. */
    void heal() throws IOException, InterruptedException {
        mendLinks();
        if (smallDisk.isPresent()) {
            smallDisk.get().clear();
        }
        for (int i = 0; i < size(); i++) {
            removals.bringBack(i);
            ensureStarted(i);
        }
    }

    /** Takes back what operators have asked for; why it is not so yet, in words, else empty. */
    private String settle(ClusterClient.View view) {
        int leader = Math.max(0, indexOf(view.leader()));
        for (JsonNode node : view.body().path("nodes")) {
            if (node.path("maintenance").asBoolean()) {
                String id = node.path("id").asText();
                try {
                    maintain(leader, indexOf(id), false);
                } catch (Strike.Skipped e) {
                    return "maintenance of %s cannot be ended: %s".formatted(id, e.getMessage());
                }
                return id + " is in maintenance";
            }
        }
        return modes.settle(leader) ? "" : "the commit mode is not the usual one yet";
    }

    /** Waits until all members serve, vote, acknowledge, and are of one epoch and timeline; why not, in words, else empty. */
    String awaitConverged(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        String why = "nobody answers";
        while (System.nanoTime() < end) {
            try {
                heal();
                why = view().map(this::settle).orElse("nobody answers");
                if (why.isEmpty()) {
                    demo.awaitReady(Duration.ofSeconds(5), System.nanoTime());
                    why = view().map(this::apart).orElse("nobody answers");
                }
                if (why.isEmpty()) {
                    removals.forget();
                    wholeAgain();
                    return "";
                }
            } catch (RuntimeException | IOException e) {
                why = String.valueOf(e.getMessage());
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
        return why + view().map(v -> "; " + states(v.body())).orElse("");
    }

    private String apart(ClusterClient.View view) {
        for (JsonNode node : view.body().path("nodes")) {
            if (node.path("epoch").asLong() != view.epoch()
                    || node.path("timeline").asLong()
                            != view.body().path("timeline").asLong()) {
                return "%s is of another epoch or timeline"
                        .formatted(node.path("id").asText());
            }
        }
        if (!modes.isUsual(view)) {
            return "the commit mode is not what was asked for last";
        }
        return view.body().path("nodes").size() == size() ? "" : "not all nodes are members";
    }

    private static String states(JsonNode body) {
        List<String> out = new ArrayList<>();
        body.path("nodes")
                .forEach(node -> out.add("%s %s %s epoch %d timeline %d"
                        .formatted(
                                node.path("id").asText(),
                                node.path("role").asText(),
                                node.path("state").asText(),
                                node.path("epoch").asLong(),
                                node.path("timeline").asLong())));
        return String.join(", ", out);
    }

    /** Where the agents' logs are. */
    Path folder() {
        return folder;
    }

    @Override
    public void close() {
        close(true);
    }

    /** @param good otherwise what is on the disks may stay for who wants to look, until the next run in this folder */
    void close(boolean good) {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            mendLinks();
            if (brake.isPresent()) {
                brake.get().close();
            }
            synchronized (demo) {
                demo.down(false);
                if (!keep.keeps(good)) {
                    if (smallDisk.isPresent()) {
                        smallDisk.get().close();
                    }
                    demo.down(true);
                }
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } finally {
            proxy.close();
        }
    }
}
