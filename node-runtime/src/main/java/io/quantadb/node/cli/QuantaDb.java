package io.quantadb.node.cli;

import io.quantadb.node.config.ConfigException;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.LogLevel;
import io.quantadb.node.config.NodeConfig;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The program's entry: without a command it runs a node, with one it does what the command says. */
@Command(
        name = "quantadb",
        mixinStandardHelpOptions = true,
        versionProvider = VersionCommand.class,
        description = "Runs PostgreSQL clusters that keep taking writes when a node dies.",
        synopsisHeading = "Usage: ",
        sortOptions = false,
        footer = {
            "",
            "Try: quantadb demo up",
            "     quantadb --cluster-mode primary --node-id node1 --data ./data/node1",
            "Settings and exit codes: docs/reference"
        })
public final class QuantaDb implements Callable<Integer> {
    private final Services services;
    private final Map<String, String> environment;
    private final Path workDir;

    @Mixin
    private RunOptions options = new RunOptions();

    QuantaDb(Services services, Map<String, String> environment, Path workDir) {
        this.services = services;
        this.environment = environment;
        this.workDir = workDir;
    }

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
        CommandLine line = new CommandLine(new QuantaDb(services, environment, workDir));
        line.addSubcommand(new InitCommand(services, workDir));
        line.addSubcommand(new DemoCommand(environment));
        line.addSubcommand(new StatusCommand(environment));
        line.addSubcommand(new MembersCommand(environment));
        line.addSubcommand(new ModeCommand(environment));
        line.addSubcommand(new PsqlUrlCommand(environment));
        line.addSubcommand(new VerifyCommand(environment));
        line.addSubcommand(new StopCommand(environment, workDir));
        line.addSubcommand(new VersionCommand());
        line.addSubcommand(new WarmUpCommand(services));
        line.addSubcommand(new CommandLine.HelpCommand());
        everyCommandTellsTheVersion(line);
        line.setOut(out);
        line.setErr(err);
        line.setUsageHelpWidth(80);
        line.setParameterExceptionHandler(QuantaDb::badArguments);
        line.setExecutionExceptionHandler(QuantaDb::failed);
        return line.execute(args);
    }

    private static void everyCommandTellsTheVersion(CommandLine line) {
        line.getSubcommands().values().forEach(command -> {
            command.getCommandSpec().versionProvider(new VersionCommand());
            everyCommandTellsTheVersion(command);
        });
    }

    @Override
    public Integer call() {
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

    private static int badArguments(ParameterException e, String[] args) {
        PrintWriter err = e.getCommandLine().getErr();
        StringBuilder words = new StringBuilder(String.valueOf(e.getMessage()));
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.getSuggestions().isEmpty()) {
            words.append("; did you mean ")
                    .append(String.join(
                            " or ", unmatched.getSuggestions().stream().limit(2).toList()))
                    .append('?');
        }
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        err.println(new Failure(ExitCode.CONFIG, words.toString(), "see %s --help".formatted(command)).line());
        return ExitCode.CONFIG.status();
    }

    private static int failed(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
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
        line.getErr().println(failure.line());
        if (debugging(parsed) || System.getenv("QUANTADB_DEBUG") != null) {
            e.printStackTrace(line.getErr());
        }
        return failure.code().status();
    }

    private static boolean debugging(CommandLine.ParseResult parsed) {
        return LogLevel.DEBUG.name().equalsIgnoreCase(parsed.matchedOptionValue("--log-level", ""));
    }
}
