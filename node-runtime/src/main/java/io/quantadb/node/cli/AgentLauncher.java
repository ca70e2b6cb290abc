package io.quantadb.node.cli;

import io.quantadb.node.config.ConfigLoader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Starts this same program again as a process of its own session, so that neither the end of the command that started
 * it nor its terminal ends it. The program is the script that {@code QUANTADB_LAUNCHER} names, else this Java with this
 * class path. Settings in the caller's environment do not reach it; what it runs with stands in its file.
 */
final class AgentLauncher {
    private final Map<String, String> environment;
    private final List<String> agentCommand;

    /** @param agentCommand what starts an agent, before {@code --config FILE}; empty for this program */
    AgentLauncher(Map<String, String> environment, List<String> agentCommand) {
        this.environment = Map.copyOf(environment);
        this.agentCommand = List.copyOf(agentCommand);
    }

    /** Starts a node, after a prefix that must replace itself by it, with this file of settings; its output is added to the log. */
    Process start(List<String> prefix, Path settings, Path log, Path workDir) {
        List<String> command = command(prefix, settings);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(workDir.toFile())
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().keySet().removeIf(ConfigLoader::isSetting);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new Failure(
                    ExitCode.INTERNAL,
                    "the program could not be started again as %s: %s".formatted(command.getFirst(), e.getMessage()),
                    "set QUANTADB_LAUNCHER to the path of bin/quantadb",
                    e);
        }
    }

    private List<String> command(List<String> prefix, Path settings) {
        List<String> out = new ArrayList<>(prefix);
        // setsid replaces itself by the program when it leads no process group, so the process number stays.
        onPath(environment, "setsid").ifPresent(setsid -> out.add(setsid.toString()));
        String launcher = environment.getOrDefault("QUANTADB_LAUNCHER", System.getProperty("quantadb.launcher", ""));
        if (!agentCommand.isEmpty()) {
            out.addAll(agentCommand);
        } else if (launcher.isEmpty()) {
            out.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
            out.addAll(List.of(
                    "-Xmx64m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-cp",
                    absolute(System.getProperty("java.class.path", "")),
                    QuantaDb.class.getName()));
        } else {
            out.add(Path.of(launcher).toAbsolutePath().toString());
        }
        out.add("--config");
        out.add(settings.toString());
        return out;
    }

    private static String absolute(String classPath) {
        return Arrays.stream(classPath.split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(java.util.stream.Collectors.joining(File.pathSeparator));
    }

    /** Where this program lies on the PATH; empty when it does not. */
    static Optional<Path> onPath(Map<String, String> environment, String tool) {
        return Arrays.stream(environment.getOrDefault("PATH", "/usr/bin:/bin").split(File.pathSeparator))
                .map(folder -> Path.of(folder, tool))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
