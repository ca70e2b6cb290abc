package io.quantadb.node.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints the versions that matter in a report. */
@Command(name = "version", mixinStandardHelpOptions = true, description = "Print the version.")
final class VersionCommand implements Callable<Integer>, CommandLine.IVersionProvider {
    @Spec
    private CommandSpec spec;

    VersionCommand() {
        spec = CommandSpec.create();
    }

    @Override
    public Integer call() {
        spec.commandLine().getOut().println(line());
        return ExitCode.OK.status();
    }

    @Override
    public String[] getVersion() {
        return new String[] {line()};
    }

    private static String line() {
        return "quantadb %s (Java %s, %s %s)"
                .formatted(
                        version(),
                        Runtime.version(),
                        System.getProperty("os.name", "?"),
                        System.getProperty("os.arch", "?"));
    }

    /** The jar's version; "development" when run from class files. */
    static String version() {
        String version = VersionCommand.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
