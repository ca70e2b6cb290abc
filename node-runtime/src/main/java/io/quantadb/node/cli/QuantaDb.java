package io.quantadb.node.cli;

import io.quantadb.node.config.ConfigException;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.LogLevel;
import io.quantadb.node.config.NodeConfig;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The program's entry: without a command it runs a node, with one it does what the command says.
 *
 * <p>A node whose flags are written plainly is started without picocli, whose classes would stay in every agent;
 * everything else, mistakes and help included, is {@link RootCommand}'s.
 */
public final class QuantaDb {
    private QuantaDb() {}

    /** Runs the program and exits with the status of {@link ExitCode}. */
    public static void main(String[] args) {
        PrintWriter out =
                new PrintWriter(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
        PrintWriter err =
                new PrintWriter(new java.io.FileOutputStream(java.io.FileDescriptor.err), true, StandardCharsets.UTF_8);
        int status = execute(Services.fromClassPath(), System.getenv(), Path.of(""), out, err, args);
        out.flush();
        err.flush();
        System.exit(status);
    }

    /** The program without the process around it; what a build with other services calls. */
    public static int execute(
            Services services,
            Map<String, String> environment,
            Path workDir,
            PrintWriter out,
            PrintWriter err,
            String... args) {
        RunOptions plain = RunOptions.plain(args);
        if (plain == null) {
            // Without picocli as well: what it brings along would be recorded, and then be in every node's memory.
            if (args.length == 1 && args[0].equals(WarmUpCommand.NAME)) {
                return new WarmUpCommand(services).call();
            }
            return RootCommand.execute(services, environment, workDir, out, err, args);
        }
        try {
            return run(plain, services, environment, workDir);
        } catch (RuntimeException e) {
            return failed(e, plain.logLevel, err);
        }
    }

    /** Runs a node until it ends. */
    static int run(RunOptions options, Services services, Map<String, String> environment, Path workDir) {
        if (options.config == null
                && options.flags().isEmpty()
                && environment.keySet().stream().noneMatch(ConfigLoader::isSetting)) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "nothing was asked for",
                    "see quantadb --help, try quantadb demo up, or start a node alone with quantadb --data ./data");
        }
        NodeConfig config = new ConfigLoader(workDir, environment).load(options.config, options.flags());
        Logs.level(config.logLevel());
        return services.runner().get().run(config);
    }

    /** Tells a failure in one line, with its trace when debugging; returns its status. */
    static int failed(Exception e, @Nullable String logLevel, PrintWriter err) {
        Failure failure = switch (e) {
            case Failure f -> f;
            case ConfigException c -> new Failure(ExitCode.CONFIG, String.valueOf(c.getMessage()), "", c);
            default ->
                new Failure(
                        ExitCode.INTERNAL,
                        "unexpected fault: " + e,
                        "run it again with --log-level debug and report the trace",
                        e);
        };
        err.println(failure.line());
        if (LogLevel.DEBUG.name().equalsIgnoreCase(logLevel) || System.getenv("QUANTADB_DEBUG") != null) {
            e.printStackTrace(err);
        }
        return failure.code().status();
    }
}
