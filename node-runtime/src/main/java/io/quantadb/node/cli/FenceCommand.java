package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quantadb.node.common.HostPort;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb fence}: keeps a node away from clients and from being primary, until it is let free again. Ends with 12
 * when the cluster refuses, with 15 when a primary was to hand over first and did not, with 9 when nobody says in time that
 * it is so.
 */
@Command(
        name = "fence",
        mixinStandardHelpOptions = true,
        description = "Keep a node away from clients, and from being primary, until it is unfenced.",
        footer = {
            "",
            "Its SQL ports refuse at once and its sessions end; it goes on voting. Its PostgreSQL is stopped once",
            "no commit and no failover counts on it. A primary hands over first. Restarts do not end it."
        })
final class FenceCommand implements Callable<Integer> {
    static final String PATH = "/cluster/members/fence";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "NODE", description = "the member's node id")
    private String node = "";

    @Option(
            names = "--force",
            description = "stop its PostgreSQL though commits wait for it, and a primary though nobody takes over")
    private boolean force;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "60s",
            description = "how long to wait until it is fenced (default ${DEFAULT-VALUE})")
    private String timeout = "60s";

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    private final Map<String, String> environment;

    FenceCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        Duration wait = Waits.duration("--timeout", timeout);
        PrintWriter out = spec.commandLine().getOut();
        ClusterClient.View before = flags.view(environment);
        boolean primary = before.primary().equals(node);
        String earlier = lastSwitchover(flags.apis(environment, before.askedAt()))
                .path("id")
                .asText();
        JsonNode body =
                MAPPER.createObjectNode().put("node", node).put("fenced", true).put("anyway", force);
        out.println(flags.change(environment, PATH, body));
        out.flush();
        JsonNode now = Waits.until(
                wait,
                () -> looked(primary && !force, earlier),
                view -> fenced(view, node),
                view -> node + " is not fenced after " + timeout,
                "see quantadb status");
        out.print(DemoCommand.table().render(now));
        return ExitCode.OK.status();
    }

    /** What the nodes say now; throws once the hand-over that comes first was given up. */
    private JsonNode looked(boolean handsOver, String earlier) {
        ClusterClient.View view = flags.view(environment);
        if (handsOver && !fenced(view.body(), node) && view.primary().equals(node)) {
            JsonNode last = lastSwitchover(flags.apis(environment, view.askedAt()));
            boolean another = !last.path("id").asText().equals(earlier);
            if (another && last.path("phase").asText().equals("aborted")) {
                throw new Failure(
                        ExitCode.ABORTED,
                        "%s is not fenced, since nobody took over from it: %s"
                                .formatted(node, last.path("reason").asText()),
                        "ask again, or insist with --force");
            }
        }
        return view.body();
    }

    /** What the first that answers has heard of. */
    private JsonNode lastSwitchover(List<HostPort> nodes) {
        return nodes.stream()
                .flatMap(api -> flags.client().get(api, "/cluster/switchover").stream())
                .findFirst()
                .orElseGet(MAPPER::createObjectNode);
    }

    /** Whether a view of the nodes says so. */
    static boolean fenced(JsonNode view, String node) {
        for (JsonNode m : view.path("nodes")) {
            if (m.path("id").asText().equals(node)) {
                return m.path("fenced").asBoolean();
            }
        }
        return false;
    }
}
