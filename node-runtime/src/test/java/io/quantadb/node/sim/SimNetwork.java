package io.quantadb.node.sim;

import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Delay, loss, duplication and reordering of datagrams, one-way cuts, and connections that stay in order or break. */
final class SimNetwork {
    private record Way(NodeId from, NodeId to) {}

    private final SimWorld world;
    private final Set<Way> cut = new HashSet<>();
    private final Map<Long, Long> lastInOrder = new HashMap<>();
    private final Map<NodeId, Long> healedAt = new HashMap<>();
    private long connections;
    private long lossyAt = Long.MIN_VALUE / 2;
    double loss;
    double duplicate;
    double slow;

    SimNetwork(SimWorld world) {
        this.world = world;
    }

    void cut(NodeId from, NodeId to) {
        cut.add(new Way(from, to));
    }

    void heal() {
        for (Way way : cut) {
            healedAt.put(way.from, world.now);
            healedAt.put(way.to, world.now);
        }
        cut.clear();
    }

    boolean open(NodeId from, NodeId to) {
        return from.equals(to) || !cut.contains(new Way(from, to));
    }

    /** Since when nothing that this node sends or is sent was lost, as far as the network is concerned; never in the future. */
    long fairSince(NodeId node) {
        boolean cutOff = cut.stream().anyMatch(w -> w.from.equals(node) || w.to.equals(node));
        return cutOff ? world.now : Math.max(lossyAt, healedAt.getOrDefault(node, Long.MIN_VALUE / 2));
    }

    private long delay() {
        return world.chance(slow) ? world.between(1, 40) : world.between(0.2, 1.2);
    }

    /** At most once and unordered across connections: it may be lost, come twice, or overtake another. */
    void send(NodeId from, NodeId to, Runnable arrive) {
        lossyAt = loss > 0 ? world.now : lossyAt;
        if (!open(from, to) || world.chance(loss)) {
            return;
        }
        world.after(delay(), () -> {
            if (open(from, to)) {
                arrive.run();
            }
        });
        if (world.chance(duplicate)) {
            world.after(delay() + world.between(0, 60), arrive);
        }
    }

    long newConnection() {
        return ++connections;
    }

    /**
     * In order within one connection and one way of it; false when the way is cut, and the connection is then as good
     * as broken.
     */
    boolean stream(long connection, NodeId from, NodeId to, Runnable arrive) {
        return stream(connection, from, to, 0, arrive);
    }

    /** The same where the other end takes so much longer to read. */
    boolean stream(long connection, NodeId from, NodeId to, long laterNanos, Runnable arrive) {
        if (!open(from, to) || !open(to, from)) {
            return false;
        }
        long way = connection * 2 + (from.compareTo(to) < 0 ? 0 : 1);
        long at = Math.max(world.now + delay() + laterNanos, lastInOrder.getOrDefault(way, 0L) + 1);
        lastInOrder.put(way, at);
        world.at(at, arrive);
        return true;
    }

    void closed(long connection) {
        lastInOrder.remove(connection * 2);
        lastInOrder.remove(connection * 2 + 1);
    }
}
