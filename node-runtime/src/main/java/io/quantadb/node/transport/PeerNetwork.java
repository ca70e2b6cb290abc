package io.quantadb.node.transport;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.util.Map;

/**
 * Small control messages between agents, on the Raft port, over mTLS 1.3. Heartbeats travel here and share no
 * connection with bulk traffic. Delivery is at most once and in order per connection; nothing is queued for a peer
 * that is not connected, and a bounded queue drops the oldest.
 */
public interface PeerNetwork extends AutoCloseable {
    /** Called on the network's own thread; must hand over and return at once. */
    interface Handler {
        void onMessage(NodeId from, byte kind, byte[] payload, long receivedNanos);

        void onConnected(NodeId peer);

        /** The connection ended or could not be made; {@code reset} when the peer's kernel answered that nobody listens. */
        void onDisconnected(NodeId peer, boolean reset);
    }

    void start(Handler handler);

    /** Whom to keep connections to, by name; names are resolved anew at every dial. */
    void setPeers(Map<NodeId, HostPort> peers);

    /** Queues one message; false when the peer is not connected or its queue is full. Any thread. */
    boolean send(NodeId to, byte kind, byte[] payload);

    /** The address bound, with the real port. */
    HostPort address();

    @Override
    void close();
}
