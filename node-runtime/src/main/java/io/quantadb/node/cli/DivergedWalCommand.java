package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.common.HostPort;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb diverged-wal}: what every node keeps of WAL that the cluster left behind. Each node tells of its own disk,
 * so all of them are asked; one that does not answer is named.
 */
@Command(
        name = "diverged-wal",
        mixinStandardHelpOptions = true,
        description = "List WAL that nodes kept when they came back, since the cluster had left it behind.",
        footer = {"", "See what is in one, on its node: pg_waldump -p FOLDER -t TIMELINE -s FROM"})
final class DivergedWalCommand implements Callable<Integer> {
    private static final String PATH = "/cluster/diverged-wal";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    private final Map<String, String> environment;

    DivergedWalCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        ClusterClient.View view = flags.view(environment);
        ClusterClient client = flags.client();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("NODE", "KEPT", "TIMELINE", "FROM", "TO", "SEGMENTS", "MB", "FOLDER"));
        List<String> silent = new ArrayList<>();
        for (JsonNode member : view.body().path("nodes")) {
            if (member.path("kind").asText().equals("WITNESS")) {
                continue;
            }
            Optional<JsonNode> told = client.get(
                            HostPort.parse(member.path("api_address").asText()), PATH)
                    .filter(body -> body.has("kept"));
            told.ifPresentOrElse(
                    body -> body.path("kept").forEach(kept -> rows.add(row(member, kept))),
                    () -> silent.add(member.path("id").asText()));
        }
        PrintWriter out = spec.commandLine().getOut();
        if (rows.size() > 1) {
            out.print(Columns.render(rows));
        } else {
            out.println("no node that answers keeps any");
        }
        if (!silent.isEmpty()) {
            out.println("not asked, since they do not answer: " + String.join(", ", silent));
        }
        return ExitCode.OK.status();
    }

    private static List<String> row(JsonNode member, JsonNode kept) {
        return List.of(
                member.path("id").asText(),
                kept.path("at").asText().replaceFirst("\\.\\d+Z$", "Z"),
                kept.path("timeline").asText(),
                kept.path("from").asText(),
                kept.path("to").asText(),
                "%s of %s"
                        .formatted(
                                kept.path("segments").asText(),
                                kept.path("of_segments").asText()),
                Long.toString(kept.path("bytes").asLong() >> 20),
                kept.path("folder").asText());
    }
}
