package io.quantadb.node.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb stop}: asks the node of a data or run folder on this machine (in this container) to stop, as SIGTERM
 * does, and waits until it has. A primary hands over first.
 */
@Command(
        name = "stop",
        mixinStandardHelpOptions = true,
        description = "Stop the node of a data folder on this machine; a primary hands over first.")
final class StopCommand implements Callable<Integer> {
    private static final Duration POLL = Duration.ofMillis(20);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--data", paramLabel = "DIR", description = "the node's data folder (default: QUANTADB_DATA_DIR)")
    private @Nullable Path data;

    @Option(
            names = "--run-dir",
            paramLabel = "DIR",
            description =
                    "its run folder, if that is elsewhere (default: QUANTADB_RUN_DIR, else run in the data folder)")
    private @Nullable Path runDir;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "30s",
            description = "how long to wait (default ${DEFAULT-VALUE})")
    private String timeout = "30s";

    private final Map<String, String> environment;
    private final Path workDir;

    StopCommand(Map<String, String> environment, Path workDir) {
        this.environment = environment;
        this.workDir = workDir;
    }

    @Override
    public Integer call() {
        Duration wait = Waits.duration("--timeout", timeout);
        AgentPidFile file = AgentPidFile.in(folder());
        ProcessMark agent = file.running()
                .orElseThrow(() -> new Failure(
                        ExitCode.NOT_RUNNING,
                        "no node runs that %s would name".formatted(file.path()),
                        "name its folder with --data or --run-dir"));
        long began = System.nanoTime();
        if (!agent.terminate() && agent.isAlive()) {
            throw new Failure(
                    ExitCode.NOT_RUNNING,
                    "process %d may not be stopped by this user".formatted(agent.pid()),
                    "run this as the user of the node");
        }
        while (agent.isAlive()) {
            if (System.nanoTime() - began > wait.toNanos()) {
                throw new Failure(
                        ExitCode.TIMEOUT,
                        "the node (process %d) was asked to stop and still runs after %s"
                                .formatted(agent.pid(), timeout),
                        "see its log, or wait longer with --timeout");
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
        spec.commandLine()
                .getOut()
                .println("stopped process %d in %d ms".formatted(agent.pid(), (System.nanoTime() - began) / 1_000_000));
        return ExitCode.OK.status();
    }

    private Path folder() {
        String run = environment.getOrDefault("QUANTADB_RUN_DIR", "");
        String home = environment.getOrDefault("QUANTADB_DATA_DIR", "");
        Path folder = runDir != null
                ? runDir
                : data != null
                        ? data.resolve("run")
                        : !run.isBlank() ? Path.of(run) : Path.of(home.isBlank() ? "data" : home, "run");
        return workDir.resolve(folder).toAbsolutePath().normalize();
    }
}
