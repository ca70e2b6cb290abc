package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quantadb.node.common.HostPort;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb restart}: starts the PostgreSQL server of one standby anew, or, with {@code --rolling}, of every node:
 * standbys one after the other, then a switchover, the old primary last. Each must stream, have caught up and stand where
 * it stood before the next one's turn. Ends with 9 when a node does not come back, with 12 when one is not well enough to
 * begin or the cluster refuses, with 15 when the primary would not move; the rest is left alone then.
 */
@Command(
        name = "restart",
        mixinStandardHelpOptions = true,
        description = "Restart the PostgreSQL server of a standby, or of all nodes in turn with --rolling.",
        footer = {
            "",
            "The agents run on: only what PostgreSQL reads at its start takes effect. To restart an agent too, stop its",
            "node (quantadb stop, which hands the primary over) and start it again."
        })
final class RestartCommand implements Callable<Integer> {
    private static final String PATH = "/cluster/members/restart";
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration REFUSED_FOR_A_MOMENT = Duration.ofSeconds(15);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(arity = "0..1", paramLabel = "NODE", description = "the standby to restart, by its node id")
    private @Nullable String node;

    @Option(names = "--rolling", description = "every node in turn: standbys, a switchover, the old primary")
    private boolean rolling;

    @Option(
            names = "--delay",
            paramLabel = "TIME",
            defaultValue = "0s",
            description = "with --rolling, how long to wait between two nodes (default ${DEFAULT-VALUE})")
    private String delay = "0s";

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "5m",
            description = "how long each node may take to be back (default ${DEFAULT-VALUE})")
    private String timeout = "5m";

    @Option(names = "--anyway", description = "also where commits then wait until the node is back")
    private boolean anyway;

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    private final Map<String, String> environment;
    /** A server was restarted already, whose standby may just be coming back. */
    private boolean begun;

    RestartCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        if (rolling == (node != null)) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "restart wants either the name of a standby or --rolling",
                    "write quantadb restart node2, or quantadb restart --rolling");
        }
        Duration wait = Waits.duration("--timeout", timeout);
        Duration pause = Waits.duration("--delay", delay);
        JsonNode before = flags.view(environment).body();
        if (node != null) {
            restart(node, before, wait, "");
        } else {
            roll(before, wait, pause);
        }
        out().print(DemoCommand.table().render(flags.view(environment).body()));
        return ExitCode.OK.status();
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    // ---- all

    private void roll(JsonNode before, Duration wait, Duration pause) {
        List<JsonNode> order = order(before);
        String primary = before.path("primary").asText();
        requireWell(before, order);
        for (int i = 0; i < order.size(); i++) {
            String id = order.get(i).path("id").asText();
            if (i > 0) {
                LockSupport.parkNanos(pause.toNanos());
            }
            if (id.equals(primary)) {
                moveFrom(primary, wait);
            }
            begun = i > 0;
            restart(id, before, wait, "[%d/%d] ".formatted(i + 1, order.size()));
        }
    }

    /** Read replicas, then data nodes, the primary last; no witness, and nobody who is fenced or on the way out. */
    private static List<JsonNode> order(JsonNode view) {
        String primary = view.path("primary").asText();
        List<JsonNode> nodes = new ArrayList<>();
        for (JsonNode m : view.path("nodes")) {
            boolean data = !m.path("kind").asText().equals("WITNESS");
            if (data && !m.path("fenced").asBoolean() && !m.path("leaving").asBoolean()) {
                nodes.add(m);
            }
        }
        nodes.sort(Comparator.<JsonNode, Boolean>comparing(
                        m -> m.path("id").asText().equals(primary))
                .thenComparing(m -> !m.path("kind").asText().equals("READ_REPLICA"))
                .thenComparing(m -> m.path("id").asText()));
        return nodes;
    }

    /** Whoever is not well now would be found out only half-way. */
    private static void requireWell(JsonNode view, List<JsonNode> nodes) {
        if (view.path("primary").asText().isEmpty()
                || view.path("failover_in_progress").asBoolean()) {
            throw new Failure(
                    ExitCode.REFUSED,
                    "nobody is primary at this moment; nothing was restarted",
                    "see quantadb status, and ask again");
        }
        for (JsonNode m : nodes) {
            if (!m.path("health").asText().equals("healthy")) {
                throw new Failure(
                        ExitCode.REFUSED,
                        "%s is %s (%s); nothing was restarted"
                                .formatted(
                                        m.path("id").asText(),
                                        m.path("health").asText(),
                                        m.path("state").asText().toLowerCase(Locale.ROOT)),
                        "mend it, fence it or take it out first; see quantadb status");
            }
        }
        if (nodes.size() == 1) {
            throw new Failure(
                    ExitCode.REFUSED,
                    "there is no other data node that could take over; nothing was restarted",
                    "stop the node and start it again (quantadb stop)");
        }
    }

    private void moveFrom(String primary, Duration wait) {
        long began = System.nanoTime();
        ClusterClient.View view = flags.view(environment);
        if (!view.primary().equals(primary)) {
            out().printf("%s is not the primary any more: %s is%n", primary, view.primary());
            return;
        }
        List<HostPort> nodes = flags.apis(environment, view.askedAt());
        JsonNode wanted = MAPPER.createObjectNode().put("epoch", view.epoch());
        String id = flags.changed(environment, nodes, "/cluster/switchover", wanted)
                .path("id")
                .asText();
        JsonNode now = Waits.until(
                wait,
                () -> moved(nodes, primary, id),
                seen -> !seen.path("primary").asText().equals(primary)
                        && !seen.path("failover_in_progress").asBoolean(),
                seen -> "%s is still the primary after %s; it was not restarted".formatted(primary, timeout),
                "the others were; see quantadb status");
        out().printf(
                        Locale.ROOT,
                        "the primary moved from %s to %s in %.1f s%n",
                        primary,
                        now.path("primary").asText(),
                        seconds(began));
        out().flush();
    }

    /** What the nodes say; throws when the switchover was given up and the old primary serves on. */
    private JsonNode moved(List<HostPort> nodes, String primary, String id) {
        JsonNode seen = flags.view(environment).body();
        if (seen.path("primary").asText().equals(primary)) {
            nodes.stream()
                    .flatMap(api -> flags.client().get(api, "/cluster/switchover?id=" + id).stream())
                    .filter(report -> report.path("phase").asText().equals("aborted"))
                    .findFirst()
                    .ifPresent(report -> {
                        throw new Failure(
                                ExitCode.ABORTED,
                                "the primary did not move, and %s was not restarted: %s"
                                        .formatted(
                                                primary, report.path("reason").asText()),
                                "the others were; see quantadb status");
                    });
        }
        return seen;
    }

    // ---- one

    /** @param before who is a member; a stranger is left to the leader to refuse */
    private void restart(String id, JsonNode before, Duration wait, String prefix) {
        JsonNode then = member(before, id);
        JsonNode wanted = MAPPER.createObjectNode().put("node", id).put("anyway", anyway);
        if (then == null) {
            flags.change(environment, PATH, wanted);
            return;
        }
        HostPort api = HostPort.parse(then.path("api_address").asText());
        boolean counted = then.path("acknowledges").asBoolean()
                || then.path("role").asText().equals("PRIMARY");
        long pid;
        if (rolling) {
            // The one that was the primary has only just become a standby.
            pid = await(api, id, 0, counted, wait, "%s is not well, and was not restarted after %s: %s")
                    .pid();
        } else {
            if (flags.client().get(api, "/cluster/status").isEmpty()) {
                throw new Failure(
                        ExitCode.NOT_RUNNING,
                        "%s was not restarted: its agent does not answer at %s".formatted(id, api),
                        "see quantadb status; its own API must be reached from here, to see it come back");
            }
            // Where no server runs the leader refuses, and says why.
            pid = look(api, id, 0, false).pid();
        }
        long began = System.nanoTime();
        if (begun) {
            var _ = Waits.granted(
                    REFUSED_FOR_A_MOMENT,
                    () -> flags.change(environment, PATH, wanted),
                    "%s and those after it were left alone; see quantadb status".formatted(id));
        } else {
            var _ = flags.change(environment, PATH, wanted);
        }
        out().printf("%s%s: its PostgreSQL restarts%s%n", prefix, id, pending(api));
        out().flush();
        await(api, id, pid, counted, wait, "%s was restarted and is not back after %s: %s");
        out().printf(
                        Locale.ROOT,
                        "%s%s: back in %.1f s, %s%n",
                        prefix,
                        id,
                        seconds(began),
                        counted ? "streams, caught up, in the rule" : "streams, caught up");
        out().flush();
    }

    /**
     * How a node is.
     *
     * @param pid of its server, 0 when that does not run or the node does not answer
     * @param words what is missing; empty when it is well
     */
    private record Seen(long pid, String words) {}

    private Seen await(HostPort api, String id, long pid, boolean counted, Duration wait, String late) {
        return Waits.until(
                wait,
                () -> look(api, id, pid, counted),
                seen -> seen.words().isEmpty(),
                seen -> late.formatted(id, timeout, seen.words()),
                "nothing else was touched; see quantadb status and the log of " + id);
    }

    /** @param was the server's process before; another must run */
    private Seen look(HostPort api, String id, long was, boolean counted) {
        JsonNode own = flags.client().get(api, "/cluster/status").orElse(null);
        if (own == null) {
            return new Seen(0, "its agent does not answer at " + api);
        }
        long pid = own.path("replication").path("server_pid").asLong();
        JsonNode m = member(flags.view(environment).body(), id);
        String words = "";
        if (m == null) {
            words = "it is no member any more";
        } else if (pid != 0 && pid == was) {
            words = "its PostgreSQL was not stopped";
        } else if (pid == 0 || !own.path("failover").path("is_healthy").asBoolean()) {
            words = own.path("failover").path("reason").asText("its PostgreSQL does not run");
        } else if (!m.path("health").asText().equals("healthy")) {
            words = "it is " + m.path("health").asText();
        } else if (counted && !m.path("acknowledges").asBoolean()) {
            words = "it is not in the rule yet";
        }
        return new Seen(pid, words);
    }

    /** What takes effect with the restart, as far as the server said. */
    private String pending(HostPort api) {
        List<String> names = flags.client().get(api, "/cluster/status").stream()
                .flatMap(own -> own.path("replication").path("pending_restart").valueStream())
                .map(JsonNode::asText)
                .toList();
        return names.isEmpty() ? "" : ", for " + String.join(", ", names);
    }

    private static @Nullable JsonNode member(JsonNode view, String id) {
        for (JsonNode m : view.path("nodes")) {
            if (m.path("id").asText().equals(id)) {
                return m;
            }
        }
        return null;
    }

    private static double seconds(long began) {
        return (System.nanoTime() - began) / 1e9;
    }
}
