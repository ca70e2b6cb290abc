package io.quantadb.node.cli;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The whole command line, by picocli: the commands, and a node when there is none. */
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
final class RootCommand implements Callable<Integer> {
    private final Services services;
    private final Map<String, String> environment;
    private final Path workDir;

    @Mixin
    private RunOptions options = new RunOptions();

    private RootCommand(Services services, Map<String, String> environment, Path workDir) {
        this.services = services;
        this.environment = environment;
        this.workDir = workDir;
    }

    static int execute(
            Services services,
            Map<String, String> environment,
            Path workDir,
            PrintWriter out,
            PrintWriter err,
            String... args) {
        CommandLine line = new CommandLine(new RootCommand(services, environment, workDir));
        line.addSubcommand(new InitCommand(services, workDir));
        line.addSubcommand(new DemoCommand(environment));
        line.addSubcommand(new StatusCommand(environment));
        line.addSubcommand(new MembersCommand(environment));
        line.addSubcommand(new ModeCommand(environment));
        line.addSubcommand(new MaintenanceCommand(environment));
        line.addSubcommand(new SettingsCommand(environment));
        line.addSubcommand(new PsqlUrlCommand(environment));
        line.addSubcommand(new SwitchoverCommand(environment));
        line.addSubcommand(new FenceCommand(environment));
        line.addSubcommand(new UnfenceCommand(environment));
        line.addSubcommand(new RestartCommand(environment));
        Confirmation typed =
                new Confirmation(new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())));
        line.addSubcommand(new FailoverCommand(environment, typed));
        line.addSubcommand(new RecoverQuorumCommand(services, environment, workDir, typed));
        line.addSubcommand(new VerifyCommand(environment));
        line.addSubcommand(new DivergedWalCommand(environment));
        line.addSubcommand(new EventsCommand(environment));
        line.addSubcommand(new StopCommand(environment, workDir));
        line.addSubcommand(new AdoptCommand(environment, workDir));
        line.addSubcommand(new VersionCommand());
        line.addSubcommand(new WarmUpCommand(services));
        line.addSubcommand(new CommandLine.HelpCommand());
        everyCommandTellsTheVersion(line);
        line.setOut(out);
        line.setErr(err);
        line.setUsageHelpWidth(80);
        line.setParameterExceptionHandler(RootCommand::badArguments);
        line.setExecutionExceptionHandler((e, failed, parsed) ->
                QuantaDb.failed(e, parsed.matchedOptionValue("--log-level", ""), failed.getErr()));
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
        return QuantaDb.run(options, services, environment, workDir);
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
}
