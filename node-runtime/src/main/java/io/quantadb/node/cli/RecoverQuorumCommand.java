package io.quantadb.node.cli;

import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.NodeConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb recover-quorum}: makes a new cluster of the disk of one stopped node, when the majority of the voters is
 * gone for good. Ends with 5 when the disk is in use or no member's, with 12 when a majority is there, or the cluster's name
 * was not typed.
 */
@Command(
        name = "recover-quorum",
        mixinStandardHelpOptions = true,
        description = "Make a new cluster of one surviving, stopped node when the majority is gone for good.",
        footer = {
            "",
            "Give the flags with which the node is started. It says what may be lost and wants the cluster's name typed.",
            "Then start the node, and add others with empty folders. The disks of the old cluster are refused."
        })
final class RecoverQuorumCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private RunOptions options = new RunOptions();

    @Option(names = "--yes-i-accept-data-loss", description = "for scripts: instead of typing the cluster's name")
    private boolean accept;

    private final Services services;
    private final Map<String, String> environment;
    private final Path workDir;
    private final Confirmation confirmation;

    RecoverQuorumCommand(Services services, Map<String, String> environment, Path workDir, Confirmation confirmation) {
        this.services = services;
        this.environment = environment;
        this.workDir = workDir;
        this.confirmation = confirmation;
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        NodeConfig config = new ConfigLoader(workDir, environment).load(options.config, options.flags());
        Logs.level(config.logLevel());
        try (QuorumRecovery.Plan plan = services.recovery().get().plan(config)) {
            plan.words().forEach(out::println);
            if (!plan.cluster().isEmpty() && !accept) {
                var _ = confirmation.typed(out, plan.cluster());
            }
            plan.carryOut().forEach(out::println);
        }
        return ExitCode.OK.status();
    }
}
