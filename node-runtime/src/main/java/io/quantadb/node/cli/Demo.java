package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Ports;
import io.quantadb.node.pki.TlsFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Three nodes on this machine as processes of their own, remembered in a folder between commands. Only processes that
 * this demo started, in the very life that it started, are ever touched. Blocking; one command at a time per folder.
 */
public final class Demo {
    public static final int NODES = 3;
    public static final Duration START_DEADLINE = Duration.ofMinutes(2);
    public static final Duration STOP_DEADLINE = Duration.ofSeconds(30);
    public static final Duration RESTART_DEADLINE = Duration.ofMinutes(1);
    /** SQL ports tried in turn for the first node. */
    public static final List<Integer> BASES = List.of(5432, 15432, 25432, 35432, 45432);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final int LAST_LINES = 30;

    private final Path folder;
    private final DemoFolder files;
    private final AgentLauncher launcher;
    private final Machines machines;
    private final ClusterClient client;
    private final Consumer<String> progress;
    private final Map<NodeId, Process> started = new HashMap<>();

    /**
     * @param folder absolute; made when need be
     * @param environment the process's environment variables
     * @param progress gets one line at a time for people
     */
    public Demo(Path folder, Map<String, String> environment, Consumer<String> progress) {
        this(folder, new AgentLauncher(environment, List.of()), Machines.LOOPBACK, progress);
    }

    /**
     * A demo that stands elsewhere than on loopback, or runs another build.
     *
     * @param agentCommand what starts an agent, before {@code --config FILE}; empty for this program
     */
    public Demo(
            Path folder,
            Map<String, String> environment,
            Consumer<String> progress,
            Machines machines,
            List<String> agentCommand) {
        this(folder, new AgentLauncher(environment, agentCommand), machines, progress);
    }

    private Demo(Path folder, AgentLauncher launcher, Machines machines, Consumer<String> progress) {
        this.folder = folder;
        this.files = new DemoFolder(folder);
        this.launcher = launcher;
        this.machines = machines;
        TlsFiles tls = machines.tls();
        this.client = tls == null ? new ClusterClient(null) : ClusterClient.showing(tls.ca(), tls.cert(), tls.key());
        this.progress = progress;
    }

    /**
     * How a demo is to start.
     *
     * @param bases SQL ports to try for the first node
     * @param extra settings for every node, key to text
     */
    public record Start(List<Integer> bases, String logLevel, Map<String, String> extra, Duration deadline) {
        public static final Start USUAL = new Start(BASES, "info", Map.of(), START_DEADLINE);
    }

    /** Starts what is not running and waits until all nodes are ready. */
    public ClusterClient.View up(Start start) {
        long began = System.nanoTime();
        files.prepare(new SecureRandom());
        DemoState state = DemoState.read(folder).orElseGet(() -> form(start));
        DemoNode first = state.nodes().getFirst();
        for (DemoNode node : state.nodes()) {
            files.writeSettings(node, state.nodes(), start.logLevel(), start.extra());
            if (node.running()) {
                progress.accept("%s is running already".formatted(node.id()));
                continue;
            }
            start(node.id());
            if (node.id().equals(first.id())) {
                // The others join through the first, so it must be listening.
                await(start.deadline(), began, "%s did not answer".formatted(node.id()), () -> {
                    requireStarted();
                    return client.get(first.api(), "/cluster/status").isPresent();
                });
            }
        }
        return awaitReady(start.deadline(), began);
    }

    private DemoState form(Start start) {
        int base = machines.sharePorts()
                ? DemoFolder.firstFreeBase(start.bases(), NODES, DemoFolder::isFree)
                : start.bases().getFirst();
        if (base != start.bases().getFirst()) {
            progress.accept("ports from %d on are taken: using %d to %d and what follows from them"
                    .formatted(start.bases().getFirst(), base, base + NODES - 1));
        }
        DemoState state = new DemoState(IntStream.range(0, NODES)
                .mapToObj(i -> {
                    NodeId id = new NodeId("node" + (i + 1));
                    return new DemoNode(
                            id, machines.hosts().get(i), Ports.from(base + i), folder.resolve(id.value()), null);
                })
                .toList());
        state.write(folder);
        return state;
    }

    /** Starts one node's agent, which must not be running; returns at once. */
    public void start(NodeId id) {
        DemoState state = state();
        DemoNode node = state.node(id);
        if (node.running()) {
            throw new Failure(ExitCode.CONFIG, "%s is running already".formatted(id), "stop it first");
        }
        Process process = launcher.start(prefix(state, node), node.settings(), node.log(), folder);
        started.put(id, process);
        state.with(id, ProcessMark.of(process.pid()).orElse(null)).write(folder);
    }

    private List<String> prefix(DemoState state, DemoNode node) {
        return machines.prefixes().get(state.nodes().indexOf(node));
    }

    /** Waits until every node serves its part: one primary, the others stream, all vote and acknowledge. */
    public ClusterClient.View awaitReady(Duration deadline, long beganNanos) {
        String[] shown = {""};
        ClusterClient.View[] last = {null};
        await(deadline, beganNanos, "the nodes were not ready", () -> {
            requireStarted();
            Optional<ClusterClient.View> view = view();
            String line = view.map(v -> brief(v.body())).orElse("no node answers yet");
            if (!line.equals(shown[0])) {
                shown[0] = line;
                progress.accept("%5.1f s  %s".formatted((System.nanoTime() - beganNanos) / 1e9, line));
            }
            view.ifPresent(v -> last[0] = v);
            return view.filter(v -> ready(v.body(), NODES)).isPresent();
        });
        return java.util.Objects.requireNonNull(last[0]);
    }

    /** What the best-informed node says now. */
    public Optional<ClusterClient.View> view() {
        return survey().best();
    }

    /** What each node says whose agent runs. */
    Survey survey() {
        return client.survey(state().nodes().stream()
                .filter(DemoNode::running)
                .map(DemoNode::api)
                .toList());
    }

    /**
     * Kills a node as a power cut would: its agent and its PostgreSQL with all children, at once.
     *
     * @return what was done, for people
     */
    public String kill(NodeId id) {
        DemoState state = state();
        DemoNode node = state.node(id);
        List<ProcessMark> postgres = NodeProcesses.postgresTree(node.postgresData());
        ProcessMark agent = node.agent();
        boolean agentKilled = agent != null && agent.kill();
        long postgresKilled = postgres.stream().filter(ProcessMark::kill).count();
        state.with(id, null).write(folder);
        if (!agentKilled && postgresKilled == 0) {
            throw new Failure(
                    ExitCode.NOT_RUNNING,
                    "%s is not running".formatted(id),
                    "start it with quantadb demo restart " + id);
        }
        return "killed %s: %s, %s"
                .formatted(
                        id,
                        agentKilled && agent != null ? "agent (pid %d)".formatted(agent.pid()) : "no agent was running",
                        postgres.isEmpty()
                                ? "no PostgreSQL was running"
                                : "PostgreSQL (pid %d) and its %d children"
                                        .formatted(postgres.getFirst().pid(), postgres.size() - 1));
    }

    /** Stops a node that runs and starts it again; returns when it does its part: serves as primary, or streams. */
    public void restart(NodeId id, Duration deadline) {
        stop(List.of(state().node(id)));
        long began = System.nanoTime();
        start(id);
        String[] shown = {""};
        boolean done = poll(deadline, began, () -> {
            requireStarted();
            Optional<JsonNode> status = client.get(state().node(id).api(), "/cluster/status");
            String line = status.map(said -> brief(id, said)).orElse(id + " does not answer yet");
            if (!line.equals(shown[0])) {
                shown[0] = line;
                progress.accept("%5.1f s  %s".formatted((System.nanoTime() - began) / 1e9, line));
            }
            // What the others say may be of its former life.
            return status.filter(said -> isUp(said.path("replication"))).isPresent()
                    && view().filter(v -> doesItsPart(v.body(), id)).isPresent();
        });
        if (!done) {
            throw new Failure(
                    ExitCode.TIMEOUT,
                    "%s runs, and does not do its part after %d s: %s".formatted(id, deadline.toSeconds(), shown[0]),
                    "it goes on trying; see quantadb demo status and "
                            + state().node(id).log());
        }
    }

    /** One line about a node from its own answer to /cluster/status. */
    static String brief(NodeId id, JsonNode status) {
        String state = status.path("replication").path("state").asText().toLowerCase(java.util.Locale.ROOT);
        String reason = status.path("failover").path("reason").asText();
        return "%s %s%s".formatted(id, state, reason.isEmpty() ? "" : ": " + reason);
    }

    /** Whether the answer of /cluster/nodes shows this node as a voter that serves as primary or streams, and is well. */
    static boolean doesItsPart(JsonNode nodes, NodeId id) {
        for (JsonNode node : nodes.path("nodes")) {
            if (node.path("id").asText().equals(id.value())) {
                return doesItsPart(node);
            }
        }
        return false;
    }

    private static boolean isUp(JsonNode said) {
        String state = said.path("state").asText();
        return state.equals("ACTIVE") || state.equals("STREAMING");
    }

    private static boolean doesItsPart(JsonNode node) {
        return isUp(node)
                && node.path("is_voter").asBoolean()
                && node.path("health").asText().equals("healthy");
    }

    /** Stops all nodes; what does not stop in time is killed, and said. With {@code purge} their data goes too. */
    public void down(boolean purge) {
        DemoState state = state();
        try {
            stop(state.nodes());
        } catch (UncheckedIOException e) {
            if (!(e.getCause() instanceof NoSuchFileException)) {
                throw e;
            }
            throw new Failure(
                    ExitCode.NOT_RUNNING,
                    "the demo in %s was removed by somebody else meanwhile".formatted(folder),
                    "start one with quantadb demo up",
                    e);
        }
        if (purge) {
            PrivateFiles.removeTree(folder);
        }
    }

    private void stop(List<DemoNode> nodes) {
        long began = System.nanoTime();
        nodes.forEach(node -> Optional.ofNullable(node.agent()).ifPresent(ProcessMark::terminate));
        boolean all = poll(STOP_DEADLINE, began, () -> nodes.stream().noneMatch(DemoNode::running));
        for (DemoNode node : nodes) {
            ProcessMark agent = node.agent();
            if (!all && agent != null && agent.kill()) {
                progress.accept(
                        "%s did not stop in %d s and was killed".formatted(node.id(), STOP_DEADLINE.toSeconds()));
            }
            List<ProcessMark> left = NodeProcesses.postgresTree(node.postgresData());
            if (left.stream().filter(ProcessMark::kill).count() > 0) {
                progress.accept("%s had left its PostgreSQL running; it was killed".formatted(node.id()));
            }
            state().with(node.id(), null).write(folder);
        }
    }

    public List<DemoNode> nodes() {
        return state().nodes();
    }

    /** The URL that follows the primary; the password stands in {@link #passfile()}. */
    public String url() {
        return PsqlUrl.of(nodes().stream().map(DemoNode::primaryListener).toList(), "postgres", passfile(), null);
    }

    public Path passfile() {
        return files.passfile();
    }

    private DemoState state() {
        return DemoState.read(folder)
                .orElseThrow(() -> new Failure(
                        ExitCode.NOT_RUNNING,
                        "there is no demo in %s".formatted(folder),
                        "start one with quantadb demo up"));
    }

    /** The status that the process started last for this node has ended with; empty while it runs, or is another's child. */
    public OptionalInt exitStatus(NodeId node) {
        Process process = started.get(node);
        return process == null || process.isAlive() ? OptionalInt.empty() : OptionalInt.of(process.exitValue());
    }

    /** Fails when a process that this command started has ended, with the last words of its log. */
    private void requireStarted() {
        started.forEach((id, process) -> {
            if (!process.isAlive()) {
                DemoNode node = state().node(id);
                throw new Failure(
                        code(process.exitValue()),
                        "%s ended with status %d: %s".formatted(id, process.exitValue(), lastWords(node.log())),
                        "see " + node.log());
            }
        });
    }

    private static ExitCode code(int status) {
        for (ExitCode code : ExitCode.values()) {
            if (code != ExitCode.OK && code.status() == status) {
                return code;
            }
        }
        return ExitCode.INTERNAL;
    }

    /** What ended it, where it says so at the end of its log; a node that fails in its start may go on talking for a while. */
    static String lastWords(Path log) {
        try (var lines = Files.lines(log, java.nio.charset.StandardCharsets.ISO_8859_1)) {
            List<String> said = lines.filter(line -> !line.isBlank()).toList();
            List<String> end = said.subList(Math.max(0, said.size() - LAST_LINES), said.size());
            return end.reversed().stream()
                    .filter(line -> line.startsWith("quantadb: ") || line.contains(" ERROR "))
                    .findFirst()
                    .or(() -> end.reversed().stream().findFirst())
                    .map(line -> line.substring(0, Math.min(300, line.length())))
                    .orElse("it said nothing");
        } catch (IOException e) {
            return "its log cannot be read";
        }
    }

    /** One line about all nodes. */
    static String brief(JsonNode nodes) {
        List<String> parts = new ArrayList<>();
        for (JsonNode node : nodes.path("nodes")) {
            String voter = node.path("is_voter").asBoolean() ? "" : " (joining)";
            parts.add("%s %s %s%s"
                    .formatted(
                            node.path("id").asText(),
                            node.path("role").asText().toLowerCase(java.util.Locale.ROOT),
                            node.path("state").asText().toLowerCase(java.util.Locale.ROOT),
                            voter));
        }
        return parts.stream().collect(Collectors.joining(", "));
    }

    /** Whether the answer of /cluster/nodes shows {@code count} nodes that all do their part. */
    static boolean ready(JsonNode nodes, int count) {
        int serving = 0;
        int acknowledging = 0;
        for (JsonNode node : nodes.path("nodes")) {
            if (doesItsPart(node)) {
                serving++;
            }
            if (node.path("acknowledges").asBoolean()) {
                acknowledging++;
            }
        }
        return serving == count
                && acknowledging == count - 1
                && !nodes.path("primary").asText().isEmpty()
                && !nodes.path("failover_in_progress").asBoolean();
    }

    private static void await(Duration deadline, long beganNanos, String what, BooleanSupplier condition) {
        if (!poll(deadline, beganNanos, condition)) {
            throw new Failure(
                    ExitCode.TIMEOUT,
                    "%s within %d s".formatted(what, deadline.toSeconds()),
                    "see the agent.log of each node in the demo's folder");
        }
    }

    /** Asks every 100 ms until it is so; false when the deadline came first. */
    static boolean poll(Duration deadline, long beganNanos, BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - beganNanos > deadline.toNanos()) {
                return false;
            }
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }
}
