package io.quantadb.node.postgres;

import io.quantadb.node.common.NodeException.LocalFault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * SQL on a data directory while no server runs on it, by {@code postgres --single}. It replays WAL that is left from a
 * crash first, and writes a checkpoint at its end. Blocks; one at a time for a directory, which PostgreSQL itself sees to.
 */
public final class SingleUser {
    private final PostgresBinaries binaries;
    private final ServerUser user;
    private final Path data;
    private final Map<String, String> settings;

    /** @param settings that win over all files */
    public SingleUser(PostgresBinaries binaries, ServerUser user, Path data, Map<String, String> settings) {
        this.binaries = binaries;
        this.user = user;
        this.data = data;
        this.settings = Map.copyOf(settings);
    }

    /**
     * Runs the statements one after another, to the first that fails. They may carry a password: they go through standard
     * input, and are not repeated in a failure.
     *
     * @param what could not be done, for the words of the {@link LocalFault} that tells a failure
     * @return what was printed: rows, between the server's log
     */
    public String run(String database, List<String> statements, Duration deadline, String what) {
        List<String> command =
                new ArrayList<>(List.of(binaries.postgres().toString(), "--single", "-j", "-D", data.toString()));
        option(command, "exit_on_error", "on");
        option(command, "log_min_error_statement", "panic");
        option(command, "log_statement", "none");
        option(command, "lc_messages", "C");
        settings.forEach((name, value) -> option(command, name, value));
        command.add(database);
        String input = String.join(";\n\n", statements) + ";\n\n";
        ToolRun run = ToolRun.of(user.command("TERM", command), input, Path.of("/"), deadline);
        if (!run.succeeded()) {
            throw new LocalFault("%s: %s".formatted(what, run.lastWords()));
        }
        return run.output();
    }

    private static void option(List<String> command, String name, String value) {
        command.add("-c");
        command.add(name + "=" + value);
    }
}
