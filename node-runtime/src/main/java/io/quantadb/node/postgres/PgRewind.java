package io.quantadb.node.postgres;

import io.quantadb.node.common.NodeException.LocalFault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * PostgreSQL's own pg_rewind, where it lies beside the server's programs (packages bring it, the bundle does not).
 *
 * <p>It takes a directory whose server was stopped in order back to where it left the source's branch, and then makes it
 * a copy of the source: blocks of tables that were changed since, all other files as they are there. In the middle the
 * directory is neither; it makes all of it durable at the end. It runs as PostgreSQL's user, and is killed with the agent.
 */
public final class PgRewind {
    private static final String NOTHING_TO_DO = "no rewind required";

    private final Path program;
    private final ServerConfig config;

    private PgRewind(Path program, ServerConfig config) {
        this.program = program;
        this.config = config;
    }

    /** Empty when it is not there. */
    public static Optional<PgRewind> of(ServerConfig config) {
        return config.binaries().tool("pg_rewind").map(program -> new PgRewind(program, config));
    }

    /**
     * Runs it; {@link LocalFault} with its last words when it failed, or found nothing to do where it was needed.
     *
     * @param socketDirectory with port, the socket by which the source is reached, as {@link ServerConfig#REWIND_ROLE}
     */
    public void run(Path socketDirectory, int port, Duration deadline) {
        List<String> command = List.of(
                program.toString(),
                "--target-pgdata=" + config.dataDirectory(),
                "--source-server=" + source(socketDirectory, port),
                // The agent has seen to that, with the settings that the cluster owns.
                "--no-ensure-shutdown");
        ToolRun run = ToolRun.of(config.user().command("KILL", command), "", Path.of("/"), deadline);
        if (!run.succeeded() || run.output().contains(NOTHING_TO_DO)) {
            throw new LocalFault("pg_rewind ended with status %d: %s".formatted(run.exitCode(), run.lastWords()));
        }
    }

    private static String source(Path socketDirectory, int port) {
        String host = socketDirectory.toString().replace("\\", "\\\\").replace("'", "\\'");
        return "host='%s' port=%d user=%s dbname=postgres application_name=quantadb sslmode=disable gssencmode=disable connect_timeout=30"
                .formatted(host, port, ServerConfig.REWIND_ROLE);
    }
}
