package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quantadb unfence}: lets a fenced node take its part again. */
@Command(name = "unfence", mixinStandardHelpOptions = true, description = "Let a fenced node take its part again.")
final class UnfenceCommand implements Callable<Integer> {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "NODE", description = "the member's node id")
    private String node = "";

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    private final Map<String, String> environment;

    UnfenceCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        JsonNode body = MAPPER.createObjectNode().put("node", node).put("fenced", false);
        out.println(flags.change(environment, FenceCommand.PATH, body));
        JsonNode now = Waits.until(
                Duration.ofSeconds(10),
                () -> flags.view(environment).body(),
                view -> !FenceCommand.fenced(view, node),
                view -> "nobody says yet that it is so",
                "see quantadb status");
        out.print(DemoCommand.table().render(now));
        return ExitCode.OK.status();
    }
}
