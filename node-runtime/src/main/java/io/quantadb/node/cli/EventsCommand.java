package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.common.EventBook;
import io.quantadb.node.common.HostPort;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb events}: what happened lately, on all nodes, in one list by time. Each node tells of its own agent's
 * life, so all of them are asked; one that does not answer is named. Times are the nodes' own clocks'.
 */
@Command(
        name = "events",
        mixinStandardHelpOptions = true,
        description = "List what happened lately on all nodes, by time: elections, failovers, copies, changes.",
        footer = {
            "",
            "A node tells what its agent has logged since it started, " + EventBook.KEPT_MAX
                    + " lines at most; its log has all."
        })
final class EventsCommand implements Callable<Integer> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--last", paramLabel = "N", defaultValue = "40", description = "so many (default: 40)")
    private int last = 40;

    @Option(names = "--node", paramLabel = "NODE", description = "of this node alone")
    private @Nullable String node;

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    private final Map<String, String> environment;

    private record Line(Instant at, String node, JsonNode event) {}

    EventsCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        if (last < 1 || last > EventBook.KEPT_MAX) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "--last %d: must be 1 to %d".formatted(last, EventBook.KEPT_MAX),
                    "older events are in the nodes' logs");
        }
        ClusterClient.View view = flags.view(environment);
        ClusterClient client = flags.client();
        List<Line> lines = new ArrayList<>();
        List<String> silent = new ArrayList<>();
        boolean known = false;
        for (JsonNode member : view.body().path("nodes")) {
            String id = member.path("id").asText();
            if (node != null && !node.equals(id)) {
                continue;
            }
            known = true;
            Optional<JsonNode> told = client.get(
                            HostPort.parse(member.path("api_address").asText()), "/cluster/events?limit=" + last)
                    .filter(body -> body.has("events"));
            told.ifPresentOrElse(
                    body -> body.path("events")
                            .forEach(e -> lines.add(
                                    new Line(Instant.parse(e.path("at").asText()), id, e))),
                    () -> silent.add(id));
        }
        if (!known) {
            throw new Failure(ExitCode.CONFIG, "no member is named '%s'".formatted(node), "see quantadb members");
        }
        PrintWriter out = spec.commandLine().getOut();
        lines.sort(Comparator.comparing(Line::at));
        List<Line> newest = lines.subList(Math.max(0, lines.size() - last), lines.size());
        if (newest.isEmpty()) {
            out.println("nothing happened since the agents that answer were started");
        } else {
            out.print(render(newest));
        }
        if (!silent.isEmpty()) {
            out.println("not asked, since they do not answer: " + String.join(", ", silent));
        }
        return lines.isEmpty() && !silent.isEmpty() ? ExitCode.NOT_RUNNING.status() : ExitCode.OK.status();
    }

    /** The words last, so that they may be as long as they are. */
    private static String render(List<Line> lines) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("TIME", "NODE", "LEVEL", "STORY", "WHAT"));
        for (Line line : lines) {
            rows.add(List.of(
                    TIME.format(line.at().truncatedTo(ChronoUnit.MILLIS)),
                    line.node(),
                    line.event().path("level").asText(),
                    line.event().path("story").asText(),
                    line.event().path("message").asText()));
        }
        return Columns.render(rows);
    }
}
