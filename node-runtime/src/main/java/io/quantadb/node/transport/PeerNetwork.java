package io.quantadb.node.transport;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.util.Map;

/**
 * Small control messages between agents, on the Raft port, over mTLS 1.3. Heartbeats travel here and share no
 * connection with bulk traffic.
 *
 * <p>Delivery is at most once, and in order for as long as one connection lasts: whoever needs more sends again.
 * Nothing is queued for a peer that is not connected. The queue of a connected one is bounded; when it is full the
 * new message is dropped and {@link #send} says so.
 */
public interface PeerNetwork extends AutoCloseable {
    /** Called on the network's own thread; must hand over and return at once. */
    interface Handler {
        /**
         * A message of an authenticated peer, which need not be one of {@link #setPeers}. The array is the receiver's
         * to keep; {@code receivedNanos} is the monotonic clock when the message was cut from the connection.
         */
        void onMessage(NodeId from, byte kind, byte[] payload, long receivedNanos);

        /** The connection to a peer stands and the peer has answered; messages to it are taken from now on. */
        void onConnected(NodeId peer);

        /**
         * The connection to a peer ended or could not be made: called for each failed dial, so up to some 50 times in
         * the first second and twice a second later. {@code reset} when the peer's kernel answered (ECONNREFUSED,
         * ECONNRESET): its machine lives and nobody listens. A process that ends in an orderly way, or is killed with
         * nothing unread, is first seen as closed (not reset) and within milliseconds, at the next dial, as reset.
         */
        void onDisconnected(NodeId peer, boolean reset);
    }

    /** Binds the Raft port and begins to dial; once. Throws LocalFault when the port cannot be had. Blocking. */
    void start(Handler handler);

    /**
     * Whom to keep connections to, by name; names are resolved anew at every dial. Replaces the former set: who is gone
     * is disconnected, who has another address is dialled there. This node itself may be in it and is passed over. Any
     * thread, before or after the start; takes effect soon after the call.
     */
    void setPeers(Map<NodeId, HostPort> peers);

    /**
     * Queues one message; false, and nothing done, when the peer is not connected or its queue is full. The array must
     * not be changed afterwards; 2 MiB at most, more is an {@link IllegalArgumentException}. Any thread.
     */
    boolean send(NodeId to, byte kind, byte[] payload);

    /** The address bound; before the start the one that will be. */
    HostPort address();

    @Override
    void close();
}
