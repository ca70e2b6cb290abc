package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.common.HostPort;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb failover --force}: makes a node primary although commits that were acknowledged may be lost. Says what it
 * knows of the loss and wants the cluster's name typed. Ends with 12 when the cluster refuses, as where a failover goes on
 * by itself, or the name was not typed, with 9 when the new primary does not serve in time.
 */
@Command(
        name = "failover",
        mixinStandardHelpOptions = true,
        description = "Make a node primary by force, though acknowledged commits may be lost.",
        footer = {
            "",
            "Failovers that lose nothing happen by themselves, and a primary that lives is moved by quantadb switchover.",
            "This is for when too few members are left to know what was acknowledged, and nobody waits for them any more.",
            "It needs a leader: without a majority of the voters see quantadb recover-quorum."
        })
final class FailoverCommand implements Callable<Integer> {
    private static final String PATH = "/cluster/failover";
    private static final int UNCONFIRMED = 428;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--force", description = "there is no failover by hand without it")
    private boolean force;

    @Option(names = "--to", paramLabel = "NODE", description = "the node to be primary (default: the furthest ahead)")
    private @Nullable String to;

    @Option(names = "--yes-i-accept-data-loss", description = "for scripts: instead of typing the cluster's name")
    private boolean accept;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "60s",
            description = "how long to wait until the new primary serves (default ${DEFAULT-VALUE})")
    private String timeout = "60s";

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    private final Map<String, String> environment;
    private final Confirmation confirmation;

    FailoverCommand(Map<String, String> environment, Confirmation confirmation) {
        this.environment = environment;
        this.confirmation = confirmation;
    }

    @Override
    public Integer call() {
        if (!force) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "a failover that loses nothing happens by itself",
                    "move a primary that lives by quantadb switchover; to lose commits rather than wait, add --force");
        }
        Duration wait = Waits.duration("--timeout", timeout);
        PrintWriter out = spec.commandLine().getOut();
        ClusterClient.View view = flags.view(environment);
        if (view.leader().isEmpty()) {
            throw new Failure(
                    ExitCode.REFUSED,
                    "no leader is known: a majority of the voters is not there, and nothing was changed",
                    "bring one back, or see quantadb recover-quorum");
        }
        List<HostPort> nodes = flags.apis(environment, view.askedAt());
        ObjectNode wanted = MAPPER.createObjectNode();
        if (to != null) {
            wanted.put("target", to);
        }
        ClusterClient.Reply told = flags.reply(environment, nodes, PATH, wanted);
        if (told.status() != UNCONFIRMED) {
            throw ClusterFlags.refused(told);
        }
        out.println("COMMITS THAT WERE ACKNOWLEDGED MAY BE LOST FOR GOOD");
        out.println(told.body().path("error").asText());
        if (accept) {
            wanted.put("accept_data_loss", true);
        } else {
            String name = told.body().path("error").asText().lines().findFirst().orElse("");
            wanted.put("confirm", confirmation.typed(out, name.replaceFirst("^cluster ", "")));
        }
        out.println(
                flags.changed(environment, nodes, PATH, wanted).path("detail").asText());
        out.flush();
        long epoch = view.epoch();
        JsonNode now = Waits.until(
                wait,
                () -> flags.view(environment).body(),
                seen -> seen.path("epoch").asLong() > epoch
                        && !seen.path("failover_in_progress").asBoolean(),
                seen -> "no new primary serves after " + timeout,
                "see quantadb status and the logs");
        out.print(DemoCommand.table().render(now));
        return ExitCode.OK.status();
    }
}
