package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.common.HostPort;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb switchover}: asks for another primary, shows each step, and ends with a line that says how long writes
 * were away. Ends with 12 when the cluster refuses, with 15 when it was begun and given up, with 9 when what became of it
 * could not be learned in time.
 */
@Command(
        name = "switchover",
        mixinStandardHelpOptions = true,
        description = "Move the primary to another node, in order and without losing anything.")
final class SwitchoverCommand implements Callable<Integer> {
    private static final String PATH = "/cluster/switchover";
    private static final Duration POLL = Duration.ofMillis(20);
    /** What a switchover may take beyond the time-out, which ends when transactions are held back. */
    private static final Duration REST = Duration.ofSeconds(30);

    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--to", paramLabel = "NODE", description = "the node to be primary (default: the best)")
    private @Nullable String to;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "30s",
            description = "give up when writes could not be held by then (default ${DEFAULT-VALUE})")
    private String timeout = "30s";

    @Option(
            names = "--drain",
            paramLabel = "TIME",
            defaultValue = "250ms",
            description = "how long transactions under way may go on (default ${DEFAULT-VALUE})")
    private String drain = "250ms";

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    private final Map<String, String> environment;

    SwitchoverCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        Duration limit = Waits.duration("--timeout", timeout);
        Waits.duration("--drain", drain);
        // So that it moves once at most, should the first that is asked begin it and not say so.
        ClusterClient.View view = flags.view(environment);
        List<HostPort> nodes = flags.apis(environment, view.askedAt());
        long epoch = view.epoch();
        ObjectNode wanted = MAPPER.createObjectNode().put("timeout", timeout).put("drain", drain);
        if (epoch > 0) {
            wanted.put("epoch", epoch);
        }
        if (to != null) {
            wanted.put("target", to);
        }
        JsonNode begun = flags.changed(environment, nodes, PATH, wanted);
        JsonNode ended = follow(nodes, begun, limit.plus(REST));
        String reason = ended.path("reason").asText();
        if (!ended.path("phase").asText().equals("done")) {
            throw new Failure(
                    ExitCode.ABORTED, "the switchover was given up: " + reason, "see quantadb status, and ask again");
        }
        spec.commandLine().getOut().print(table(ended) + steps(ended));
        return ExitCode.OK.status();
    }

    /** Shows each phase once; any node that heard of it may tell, since the one that was asked may be on its way out. */
    private JsonNode follow(List<HostPort> nodes, JsonNode begun, Duration limit) {
        ClusterClient client = flags.client();
        PrintWriter out = spec.commandLine().getOut();
        String query = PATH + "?id=" + begun.path("id").asText();
        JsonNode now = begun;
        String shown = "";
        long beganAt = System.nanoTime();
        while (true) {
            String reason = now.path("reason").asText();
            String line = now.path("phase").asText() + (reason.isEmpty() ? "" : ": " + reason);
            if (!line.equals(shown) && !now.path("over").asBoolean()) {
                shown = line;
                out.printf(
                        Locale.ROOT,
                        "%6.3f s  %s to %s  %s%n",
                        now.path("took_ms").asLong() / 1e3,
                        now.path("from").asText(),
                        now.path("to").asText(),
                        line);
                out.flush();
            }
            if (now.path("over").asBoolean()) {
                return now;
            }
            if (System.nanoTime() - beganAt > limit.toNanos()) {
                throw new Failure(
                        ExitCode.TIMEOUT,
                        "what became of the switchover could not be learned within " + limit.toSeconds() + " s",
                        "see quantadb status");
            }
            LockSupport.parkNanos(POLL.toNanos());
            now = newest(client, nodes, query, now);
        }
    }

    private static JsonNode newest(ClusterClient client, List<HostPort> nodes, String query, JsonNode before) {
        for (HostPort node : nodes) {
            Optional<JsonNode> answer = client.get(node, query);
            if (answer.isPresent() && answer.get().has("phase")) {
                JsonNode now = answer.get();
                boolean newer =
                        now.path("took_ms").asLong() >= before.path("took_ms").asLong();
                return newer || now.path("over").asBoolean() ? now : before;
            }
        }
        return before;
    }

    /** Two lines: titles, and what was done. */
    static String table(JsonNode ended) {
        long gap = ended.path("write_gap_ms").asLong(-1);
        return Columns.render(List.of(
                List.of("FROM", "TO", "EPOCH", "WRITE GAP", "TOOK"),
                List.of(
                        ended.path("from").asText(),
                        ended.path("to").asText(),
                        ended.path("epoch").asText(),
                        gap < 0 ? "not measured" : gap + " ms",
                        ended.path("took_ms").asText() + " ms")));
    }

    /** A line that says what the time went into; empty when the leader that knew it is gone. */
    static String steps(JsonNode ended) {
        List<String> steps = new ArrayList<>();
        ended.path("steps_ms")
                .properties()
                .forEach(step -> steps.add(step.getKey() + " " + step.getValue().asLong()));
        return steps.isEmpty() ? "" : "steps, in ms: " + String.join(", ", steps) + "\n";
    }
}
