package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quantadb maintenance}: no failover begins by itself, until it is ended or a time is over. */
@Command(
        name = "maintenance",
        mixinStandardHelpOptions = true,
        description = "Show, begin or end a maintenance of the cluster: no failover begins by itself then.",
        footer = {
            "",
            "Commits wait for the same members as ever, a PostgreSQL that ended is started again in its place,",
            "and the primary may be moved by hand. One node alone: quantadb members maintenance NODE"
        })
final class MaintenanceCommand implements Callable<Integer> {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    @Parameters(arity = "0..1", paramLabel = "on|off", description = "shown when it is left out")
    private @Nullable String wanted;

    @Option(names = "--for", paramLabel = "TIME", description = "it ends by itself after this, such as 30m")
    private @Nullable String lasts;

    private final Map<String, String> environment;

    MaintenanceCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        if (wanted != null && !wanted.equals("on") && !wanted.equals("off")) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "maintenance is on or off, not '%s'".formatted(wanted),
                    "write quantadb maintenance on --for 30m");
        }
        if (lasts != null && !"on".equals(wanted)) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "--for says how long a maintenance lasts",
                    "write quantadb maintenance on --for 30m");
        }
        JsonNode now = wanted == null ? flags.view(environment).body() : changed(wanted.equals("on"));
        spec.commandLine().getOut().println(words(now));
        return ExitCode.OK.status();
    }

    /** What the table of nodes does not show. */
    static String words(JsonNode nodes) {
        String until = nodes.path("maintenance_until").asText();
        return !nodes.path("maintenance").asBoolean()
                ? "no maintenance: failovers happen by themselves"
                : "in maintenance %s: no failover begins by itself"
                        .formatted(until.isEmpty() ? "until it is ended" : "until " + until);
    }

    private static long seconds(String time) {
        long seconds = Waits.duration("--for", time).toSeconds();
        if (seconds < 1) {
            throw new Failure(ExitCode.CONFIG, "--for %s is less than a second".formatted(time), "write --for 30m");
        }
        return seconds;
    }

    private JsonNode changed(boolean on) {
        ObjectNode change = MAPPER.createObjectNode().put("maintenance", on);
        if (lasts != null) {
            change.put("for_seconds", seconds(lasts));
        }
        flags.change(environment, "/cluster/maintenance", change);
        return Waits.until(
                Duration.ofSeconds(10),
                () -> flags.view(environment).body(),
                view -> view.path("maintenance").asBoolean() == on,
                view -> "nobody says yet that it is so",
                "see quantadb maintenance");
    }
}
