package io.quantadb.node.postgres;

import io.quantadb.node.pgwire.PgConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a server is started with.
 *
 * @param privateDirectory for the files that the agent writes for PostgreSQL (configuration, access rules)
 * @param socketDirectory from {@link SocketDirectory#prepare}
 * @param port names the socket file only: PostgreSQL listens on no network address
 * @param clustered commits wait for the agent's voice; false for a plain single node
 * @param upstream the relay's socket, which the WAL receiver of a standby dials for ever; null without a cluster
 * @param settings the user's; one that the cluster owns is refused
 * @param hbaLines the user's access rules, after the agent's own; empty means passwords for everybody
 * @param peerUsers operating-system users beside the agent's who may become the cluster's role over the socket
 */
public record ServerConfig(
        PostgresBinaries binaries,
        ServerUser user,
        Path dataDirectory,
        Path privateDirectory,
        Path socketDirectory,
        int port,
        boolean clustered,
        @Nullable Upstream upstream,
        Map<String, String> settings,
        List<String> hbaLines,
        List<String> peerUsers) {
    /** The superuser role that the agent uses; no client may ask for it through the front. */
    public static final String AGENT_ROLE = "quantadb";

    /**
     * The role by which another member rewinds itself by this server: it may read the files of the data directory and
     * nothing more, has no password, and comes in by the agent alone.
     */
    public static final String REWIND_ROLE = "quantadb_rewind";

    /** What the voice's replication stream calls itself. */
    public static final String VOICE_NAME = "quantadb_voice";

    /** How long leftovers of an earlier agent may take to end before they are killed, and then to be gone. */
    static final Duration LEFTOVER_PATIENCE = Duration.ofSeconds(5);

    /** Where {@code .s.PGSQL.<port>} of the relay is. */
    public record Upstream(Path socketDirectory, int port) {}

    public ServerConfig {
        dataDirectory = dataDirectory.toAbsolutePath().normalize();
        privateDirectory = privateDirectory.toAbsolutePath().normalize();
        settings = Map.copyOf(settings);
        hbaLines = List.copyOf(hbaLines);
        peerUsers = List.copyOf(peerUsers);
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("postgres port %d is not between 1 and 65535".formatted(port));
        }
        if (!SocketDirectory.fits(PgConnection.socketIn(socketDirectory, port))) {
            throw new IllegalArgumentException("socket path %s is longer than %d bytes"
                    .formatted(PgConnection.socketIn(socketDirectory, port), SocketDirectory.SOCKET_PATH_BYTES_MAX));
        }
        requireAllowed(settings, hbaLines);
    }

    /** {@link IllegalArgumentException} with words for people when a setting or a line of pg_hba.conf may not be used. */
    public static void requireAllowed(Map<String, String> settings, List<String> hbaLines) {
        UserSettings.requireAllowed(settings);
        hbaLines.forEach(line -> UserSettings.requireOneLine("hba", line));
    }

    /** The file that sessions connect to. */
    public Path socket() {
        return PgConnection.socketIn(socketDirectory, port);
    }

    Path configFile() {
        return privateDirectory.resolve("postgresql.conf");
    }

    Path hbaFile() {
        return privateDirectory.resolve("pg_hba.conf");
    }

    Path identFile() {
        return privateDirectory.resolve("pg_ident.conf");
    }
}
