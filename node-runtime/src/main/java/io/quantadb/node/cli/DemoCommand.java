package io.quantadb.node.cli;

import io.quantadb.node.common.NodeId;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quantadb demo}: three nodes on this machine. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Run a three-node cluster on this machine (loopback only, with a development CA).",
        synopsisSubcommandLabel = "up|failover|status|down|kill NODE|restart NODE")
final class DemoCommand implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    private final Map<String, String> environment;

    DemoCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "the demo's folder (default: QUANTADB_DEMO_DIR, else /var/lib/quantadb/demo as root and"
                    + " ~/.local/state/quantadb/demo as another user)",
            scope = picocli.CommandLine.ScopeType.INHERIT)
    @Nullable
    Path dir;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    @Command(
            name = "up",
            mixinStandardHelpOptions = true,
            description = "Start the nodes and wait until all are ready.")
    int up(
            @Option(names = "--port", paramLabel = "PORT", description = "SQL port of the first node") @Nullable
                    Integer port,
            @Option(names = "--log-level", paramLabel = "LEVEL", defaultValue = "info", description = "of the agents")
                    String logLevel,
            @Option(names = "--set", paramLabel = "KEY=VALUE", description = "a setting for every node") @Nullable
                    Map<String, String> set) {
        PrintWriter out = out();
        Demo demo = demo();
        out.println("starting three nodes in %s, on loopback addresses, with a development CA".formatted(folder()));
        ClusterClient.View view = demo.up(new Demo.Start(
                port == null ? Demo.BASES : List.of(port),
                logLevel,
                set == null ? Map.of() : set,
                Demo.START_DEADLINE));
        out.println();
        out.print(table().render(view.body()));
        farewell(out, demo, view.primary());
        return ExitCode.OK.status();
    }

    @Command(name = "status", mixinStandardHelpOptions = true, description = "Show the nodes.")
    int status() {
        Demo demo = demo();
        if (demo.nodes().stream().noneMatch(DemoNode::running)) {
            throw new Failure(
                    ExitCode.NOT_RUNNING,
                    "no node of the demo in %s is running".formatted(folder()),
                    "start it with quantadb demo up");
        }
        Survey survey = demo.survey();
        ClusterClient.View view = survey.best()
                .orElseThrow(() -> new Failure(
                        ExitCode.NOT_RUNNING,
                        "no node of the demo in %s answers: %s".formatted(folder(), survey.words()),
                        "see the agent.log of each node there"));
        out().print(table().render(view.body()));
        for (DemoNode node : demo.nodes()) {
            if (!node.running()) {
                out().println("%s is not running; start it with quantadb demo restart %s"
                        .formatted(node.id(), node.id()));
            }
        }
        return ExitCode.OK.status();
    }

    @Command(name = "down", mixinStandardHelpOptions = true, description = "Stop the nodes.")
    int down(@Option(names = "--purge", description = "remove their data too") boolean purge) {
        demo().down(purge);
        out().println(
                        purge
                                ? "stopped, and %s removed".formatted(folder())
                                : "stopped; the data stays in %s (quantadb demo down --purge removes it)"
                                        .formatted(folder()));
        return ExitCode.OK.status();
    }

    @Command(
            name = "kill",
            mixinStandardHelpOptions = true,
            description = "Kill a node: its agent and its PostgreSQL, as a power cut would.")
    int kill(@Parameters(paramLabel = "NODE") String node) {
        out().println(demo().kill(id(node)));
        return ExitCode.OK.status();
    }

    @Command(
            name = "failover",
            mixinStandardHelpOptions = true,
            description = "Write rows, kill the primary, and show what became of them.")
    int failover() {
        Demo demo = demo();
        FailoverShow.Result result =
                new FailoverShow(demo, line -> out().println(line)).run(System.currentTimeMillis() * 1_000);
        out().println();
        demo.view().ifPresent(view -> out().print(table().render(view.body())));
        out().println("killed %s: writes were away for %d ms; %d rows acknowledged, %d lost"
                .formatted(result.killed(), result.gap().toMillis(), result.acknowledged(), result.lost()));
        farewell(out(), demo, result.primaryNow());
        return result.lost() == 0 ? ExitCode.OK.status() : ExitCode.INTERNAL.status();
    }

    @Command(
            name = "restart",
            mixinStandardHelpOptions = true,
            description = "Stop a node if it runs, start it, and wait until it streams or serves.")
    int restart(@Parameters(paramLabel = "NODE") String node) {
        demo().restart(id(node), Demo.RESTART_DEADLINE);
        out().println("%s does its part again; see quantadb demo status".formatted(node));
        return ExitCode.OK.status();
    }

    private void farewell(PrintWriter out, Demo demo, String primary) {
        String program = program() + " demo";
        String where = dir == null ? "" : " --dir " + dir;
        out.println();
        out.println(
                AgentLauncher.onPath(environment, "psql").isPresent()
                        ? "psql:  psql '%s'".formatted(demo.url())
                        : "url:   %s   (no psql is on the PATH; any libpq client takes it)".formatted(demo.url()));
        out.println("kill:  %s kill %s%s".formatted(program, primary, where));
        out.println("watch: %s status%s".formatted(program, where));
        out.println("stop:  %s down%s   (add --purge to remove the data)".formatted(program, where));
    }

    /** How this program was called: through the launcher below the working directory, or by its whole path. */
    private String program() {
        String launcher = environment.get("QUANTADB_LAUNCHER");
        if (launcher == null) {
            return "quantadb";
        }
        Path whole = Path.of(launcher).toAbsolutePath();
        Path here = Path.of("").toAbsolutePath();
        return whole.startsWith(here) ? here.relativize(whole).toString() : launcher;
    }

    private static NodeId id(String text) {
        try {
            return new NodeId(text);
        } catch (IllegalArgumentException e) {
            throw new Failure(ExitCode.CONFIG, String.valueOf(e.getMessage()), "", e);
        }
    }

    private Demo demo() {
        return new Demo(folder(), environment, line -> out().println(line));
    }

    private Path folder() {
        return DemoFolder.named(dir, environment);
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    @SuppressWarnings("SystemConsoleNull") // it is null on a JDK 25 whose input is no terminal
    static StatusTable table() {
        java.io.Console console = System.console();
        return new StatusTable(console != null && console.isTerminal());
    }
}
