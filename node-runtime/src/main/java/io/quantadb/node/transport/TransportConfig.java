package io.quantadb.node.transport;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.TlsFiles;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What {@link NettyTransport} needs to know.
 *
 * @param raftBind where control messages are listened for; {@code 0.0.0.0} or {@code ::} means every address
 * @param replicationBind where streams are listened for
 * @param raftAdvertised where others reach the Raft port, told to whoever this node dials; null to tell nobody
 */
public record TransportConfig(
        NodeId self,
        HostPort raftBind,
        HostPort replicationBind,
        TlsFiles tls,
        Limits limits,
        @Nullable HostPort raftAdvertised) {

    public TransportConfig(NodeId self, HostPort raftBind, HostPort replicationBind, TlsFiles tls, Limits limits) {
        this(self, raftBind, replicationBind, tls, limits, null);
    }

    public TransportConfig(NodeId self, HostPort raftBind, HostPort replicationBind, TlsFiles tls) {
        this(self, raftBind, replicationBind, tls, Limits.DEFAULT);
    }

    /** The same, telling others that the Raft port is reached there. */
    public TransportConfig advertising(HostPort raft) {
        return new TransportConfig(self, raftBind, replicationBind, tls, limits, raft);
    }

    /**
     * How much others may take of this node.
     *
     * @param opening how long a connection may take from its arrival to the end of its opening, both ports
     * @param verdict how long an acceptor of a stream may think before the stream is refused for it
     * @param openings connections of one port that have not finished their opening; more are closed at once
     * @param controlConnections accepted connections on the Raft port, one for each member and a reserve
     * @param streams accepted streams of all peers together
     * @param streamsPerPeer accepted streams of one peer
     */
    public record Limits(
            Duration opening, Duration verdict, int openings, int controlConnections, int streams, int streamsPerPeer) {
        public static final Limits DEFAULT =
                new Limits(Duration.ofSeconds(5), Duration.ofSeconds(30), 512, 256, 4096, 1024);

        public Limits {
            requirePositive("opening", opening.toMillis());
            requirePositive("verdict", verdict.toMillis());
            requirePositive("openings", openings);
            requirePositive("controlConnections", controlConnections);
            requirePositive("streams", streams);
            requirePositive("streamsPerPeer", streamsPerPeer);
        }

        private static void requirePositive(String name, long value) {
            if (value < 1) {
                throw new IllegalArgumentException("transport limit %s=%d must be at least 1".formatted(name, value));
            }
        }
    }
}
