package io.quantadb.node.consensus;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerNetwork;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Shares one {@link PeerNetwork} among those who speak on it: it owns the network's handler and passes each message
 * to the receiver registered for its kind. Every watcher hears of every message's sender, whatever its kind, and of
 * connections that come and go. Runs on the network's thread; receivers and watchers hand over and return.
 */
public final class ControlDispatcher implements PeerNetwork.Handler {
    public static final byte RAFT = 1;
    public static final byte COORD = 2;
    /** Operators' requests on their way to the leader, and its answers. */
    public static final byte ADMIN = 3;

    public static final byte KEPT_WAL = 4;

    /** Takes the messages of one kind. */
    @FunctionalInterface
    public interface Receiver {
        void onMessage(NodeId from, byte[] payload, long receivedNanos);
    }

    /** Hears who is there; every method does nothing unless overridden. */
    public interface Watcher {
        /** An authenticated message of any kind came from that node. */
        default void onHeard(NodeId from, long receivedNanos) {}

        default void onConnected(NodeId peer) {}

        default void onDisconnected(NodeId peer, boolean reset) {}
    }

    private final PeerNetwork network;
    private final Map<Byte, Receiver> receivers = new ConcurrentHashMap<>();
    private final List<Watcher> watchers = new CopyOnWriteArrayList<>();

    public ControlDispatcher(PeerNetwork network) {
        this.network = network;
    }

    /** Registers the receiver of a kind; to be done before {@link #start}. A kind has one receiver. */
    public void register(byte kind, Receiver receiver) {
        if (receivers.putIfAbsent(kind, receiver) != null) {
            throw new IllegalStateException("kind %d has a receiver already".formatted(kind));
        }
    }

    /** Ends a registration; messages of that kind are dropped from then on. */
    public void unregister(byte kind) {
        receivers.remove(kind);
    }

    public void watch(Watcher watcher) {
        watchers.add(watcher);
    }

    public void unwatch(Watcher watcher) {
        watchers.remove(watcher);
    }

    /** Starts the network with this as its handler. */
    public void start() {
        network.start(this);
    }

    /** Queues one message; false when the peer is not connected or its queue is full. Any thread. */
    public boolean send(NodeId to, byte kind, byte[] payload) {
        return network.send(to, kind, payload);
    }

    @Override
    public void onMessage(NodeId from, byte kind, byte[] payload, long receivedNanos) {
        for (Watcher w : watchers) {
            w.onHeard(from, receivedNanos);
        }
        Receiver receiver = receivers.get(kind);
        // A kind that nobody here knows comes from a newer release; it is not for us.
        if (receiver != null) {
            receiver.onMessage(from, payload, receivedNanos);
        }
    }

    @Override
    public void onConnected(NodeId peer) {
        watchers.forEach(w -> w.onConnected(peer));
    }

    @Override
    public void onDisconnected(NodeId peer, boolean reset) {
        watchers.forEach(w -> w.onDisconnected(peer, reset));
    }
}
