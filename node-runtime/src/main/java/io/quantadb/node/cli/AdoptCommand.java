package io.quantadb.node.cli;

import io.quantadb.node.adopt.Adopter;
import io.quantadb.node.adopt.Finding;
import io.quantadb.node.adopt.Refused;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.NodeConfig;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quantadb adopt}: an existing data directory becomes the first node of a cluster, and goes back. */
@Command(
        name = "adopt",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Make an existing PostgreSQL data directory the first node of a cluster; its server is stopped.",
        footer = {
            "",
            "Give the same --data and settings as to the node: quantadb adopt --check /var/lib/postgresql/15/main",
            "--data /var/lib/quantadb/node1, then without --check, then start the node with --cluster-mode primary."
        })
final class AdoptCommand implements Callable<Integer> {
    private static final int USUAL_COLUMNS = 100;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(arity = "0..1", paramLabel = "PGDATA", description = "the data directory, which holds PG_VERSION")
    private @Nullable Path pgdata;

    @Option(names = "--check", description = "look, say what would become of what, and change nothing")
    private boolean check;

    @Option(
            names = "--undo",
            description = "take it back: a plain PostgreSQL directory with its own configuration again")
    private boolean undo;

    @Option(names = "--anyway", description = "with --undo: although the node was a standby when it stopped")
    private boolean anyway;

    @Mixin
    private RunOptions options = new RunOptions();

    private final Map<String, String> environment;
    private final Path workDir;

    AdoptCommand(Map<String, String> environment, Path workDir) {
        this.environment = environment;
        this.workDir = workDir;
    }

    @Override
    public Integer call() {
        if (undo == (pgdata != null) || (undo && check)) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "what to adopt is not clear",
                    "write quantadb adopt [--check] PGDATA --data DIR, or quantadb adopt --undo --data DIR");
        }
        NodeConfig config = new ConfigLoader(workDir, environment).load(options.config, options.flags());
        PrintWriter out = spec.commandLine().getOut();
        Adopter adopter = new Adopter(config, out::println);
        try {
            if (pgdata == null) {
                adopter.undo(anyway);
                return ExitCode.OK.status();
            }
            Path directory = workDir.resolve(pgdata).toAbsolutePath().normalize();
            requireNobodys(directory);
            return check ? checked(adopter, directory, out) : adopted(adopter, directory, config, out);
        } catch (Refused e) {
            throw new Failure(ExitCode.REFUSED, String.valueOf(e.getMessage()), e.advice(), e);
        } catch (NodeException e) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    String.valueOf(e.getMessage()),
                    undo
                            ? "mend that, and give the same command again"
                            : "mend that and give the same command again, or take it back with quantadb adopt --undo",
                    e);
        }
    }

    /** What the check would advise of a member's own data, as to rename the agent's role, would do the cluster harm. */
    private static void requireNobodys(Path directory) {
        Path identity = directory.resolveSibling("cluster").resolve("node.facts");
        if (Files.exists(identity)) {
            throw new Failure(
                    ExitCode.REFUSED,
                    "%s is the data of a cluster's node already: %s says so".formatted(directory, identity),
                    "start that node; nothing is to be adopted, and nothing was changed");
        }
    }

    private int checked(Adopter adopter, Path directory, PrintWriter out) {
        List<Finding> findings = adopter.check(directory);
        out.print(table(findings));
        out.flush();
        long stops = stops(findings);
        if (stops > 0) {
            throw inTheWay(stops);
        }
        out.println("nothing stands in the way, and nothing was changed");
        return ExitCode.OK.status();
    }

    private int adopted(Adopter adopter, Path directory, NodeConfig config, PrintWriter out) {
        Adopter.Outcome outcome = adopter.adopt(directory);
        out.print(table(outcome.findings()));
        out.flush();
        if (!outcome.done()) {
            throw inTheWay(stops(outcome.findings()));
        }
        out.println(
                "adopted. Start the node, the first time with: quantadb --cluster-mode primary --node-id NAME --data %s"
                        .formatted(config.dataDir()));
        out.println("Never start that directory by itself again, or take it back first: quantadb adopt --undo --data %s"
                .formatted(config.dataDir()));
        return ExitCode.OK.status();
    }

    private static long stops(List<Finding> findings) {
        return findings.stream()
                .filter(finding -> finding.level() == Finding.Level.STOP)
                .count();
    }

    private static Failure inTheWay(long stops) {
        return new Failure(
                ExitCode.REFUSED,
                "%d of these %s in the way (STOP), and nothing was changed"
                        .formatted(stops, stops == 1 ? "stands" : "stand"),
                "do what is said there, and ask again");
    }

    private String table(List<Finding> findings) {
        int columns = USUAL_COLUMNS;
        try {
            columns = Integer.parseInt(environment.getOrDefault("COLUMNS", ""));
        } catch (NumberFormatException e) {
            // Most shells do not pass it on.
        }
        return new FindingsTable(columns).render(findings);
    }
}
