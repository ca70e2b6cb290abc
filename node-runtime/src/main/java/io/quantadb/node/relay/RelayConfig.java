package io.quantadb.node.relay;

import io.quantadb.node.common.NodeId;
import java.nio.file.Path;
import java.time.Duration;

/**
 * How the relay of one node is set up.
 *
 * @param self this node
 * @param incarnation of this node's disk, named in every stream's opening
 * @param receiverDir directory of the socket to which the local WAL receiver connects ({@code host} in its
 *     primary_conninfo); {@code <dir>/.s.PGSQL.<receiverPort>}, at most 107 bytes in all
 * @param receiverPort the port in that socket's name
 * @param postgresDir directory of the local server's own socket
 * @param postgresPort the port in that socket's name
 * @param postgresUser the role that may replicate, let in by peer authentication
 * @param serverVersion the server_version that the WAL receiver is told at start-up, such as {@code 15.13}
 * @param streamBufferBytes how much may wait unsent on a stream before the other side is not read any more
 *     ({@code stream_buffer_size}), 64 KiB to 64 MiB
 * @param heartbeatInterval silence after which a stream is asked for a sign of life ({@code heartbeat_interval})
 * @param heartbeatTimeout silence after which a stream is closed ({@code heartbeat_timeout})
 * @param connectTimeout bound of every dial, log-in and opening ({@code connect_timeout})
 * @param reconnectInterval the longest pause between dials; the first is 20 ms ({@code reconnect_interval})
 * @param maxReconnectTries dials in a row that failed until that is said, and until which the pause between them grows
 *     ({@code max_reconnect_tries})
 * @param batchMessages WAL messages that go out together to a member for which no commit waits ({@code batch_size})
 * @param flushInterval how long such a batch waits for more at most ({@code flush_interval})
 * @param copyTimeout how long a base backup that a member takes may make no progress ({@code snapshot_timeout})
 * @param flushTimeout how long a freeze waits for the receiver to flush what it was given
 * @param progressInterval progress events of one source come at most this often
 */
public record RelayConfig(
        NodeId self,
        long incarnation,
        Path receiverDir,
        int receiverPort,
        Path postgresDir,
        int postgresPort,
        String postgresUser,
        String serverVersion,
        int streamBufferBytes,
        Duration heartbeatInterval,
        Duration heartbeatTimeout,
        Duration connectTimeout,
        Duration reconnectInterval,
        int maxReconnectTries,
        int batchMessages,
        Duration flushInterval,
        Duration copyTimeout,
        Duration flushTimeout,
        Duration progressInterval) {
    private static final int SOCKET_PATH_BYTES_MAX = 107;

    public RelayConfig {
        if (streamBufferBytes < 64 << 10 || streamBufferBytes > 64 << 20) {
            throw new IllegalArgumentException(
                    "stream_buffer_size=%d must be between 64 KiB and 64 MiB".formatted(streamBufferBytes));
        }
        if (heartbeatTimeout.compareTo(heartbeatInterval) <= 0) {
            throw new IllegalArgumentException("heartbeat_timeout=%s must be longer than heartbeat_interval=%s"
                    .formatted(heartbeatTimeout, heartbeatInterval));
        }
        requireShort(socket(receiverDir, receiverPort));
        requireShort(socket(postgresDir, postgresPort));
    }

    /** The shipped defaults of everything that is not a place or a name. */
    public static RelayConfig of(
            NodeId self,
            long incarnation,
            Path receiverDir,
            int receiverPort,
            Path postgresDir,
            int postgresPort,
            String postgresUser,
            String serverVersion) {
        return new RelayConfig(
                self,
                incarnation,
                receiverDir,
                receiverPort,
                postgresDir,
                postgresPort,
                postgresUser,
                serverVersion,
                1 << 20,
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                10,
                100,
                Duration.ofMillis(100),
                Duration.ofSeconds(60),
                Duration.ofSeconds(1),
                Duration.ofMillis(10));
    }

    /** The same with another patience for base backups that members take. */
    public RelayConfig withCopyTimeout(Duration timeout) {
        return new RelayConfig(
                self,
                incarnation,
                receiverDir,
                receiverPort,
                postgresDir,
                postgresPort,
                postgresUser,
                serverVersion,
                streamBufferBytes,
                heartbeatInterval,
                heartbeatTimeout,
                connectTimeout,
                reconnectInterval,
                maxReconnectTries,
                batchMessages,
                flushInterval,
                timeout,
                flushTimeout,
                progressInterval);
    }

    /** The socket that the local WAL receiver connects to. */
    public Path receiverSocket() {
        return socket(receiverDir, receiverPort);
    }

    /** The local server's own socket. */
    public Path postgresSocket() {
        return socket(postgresDir, postgresPort);
    }

    private static Path socket(Path dir, int port) {
        return dir.resolve(".s.PGSQL." + port);
    }

    private static void requireShort(Path socket) {
        if (socket.toString().length() > SOCKET_PATH_BYTES_MAX) {
            throw new IllegalArgumentException("socket path %s is longer than %d bytes: choose a shorter directory"
                    .formatted(socket, SOCKET_PATH_BYTES_MAX));
        }
    }
}
