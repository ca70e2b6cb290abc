package io.quantadb.node.consensus;

import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;

/**
 * How quick this node and its links are: how late the core thread's ticks come, and how long answers to heartbeats take
 * while this node leads. Told once a second. Owned by the core thread.
 */
final class Pace {
    private static final long TOLD_NANOS = 1_000_000_000L;

    /** What a node that had stopped answers all at once tells as little as one answer does. */
    private static final long APART_NANOS = 200_000_000L;

    private final RaftListener listener;
    private final Tail ticks;
    private final Map<NodeId, Tail> answers = new HashMap<>();
    private final Map<NodeId, Long> answeredAt = new HashMap<>();
    private long toldAt;

    Pace(RaftListener listener, long nowNanos) {
        this.listener = listener;
        this.ticks = new Tail(nowNanos);
        this.toldAt = nowNanos;
    }

    void answered(NodeId from, long tookNanos, long nowNanos) {
        Long before = answeredAt.get(from);
        if (before == null || nowNanos - before >= APART_NANOS) {
            answeredAt.put(from, nowNanos);
            answers.computeIfAbsent(from, _ -> new Tail(nowNanos)).add(tookNanos, nowNanos);
        }
    }

    /** @param leads what others answered an earlier leader is of no use to a later one */
    void ticked(long lateNanos, boolean leads, long nowNanos) {
        ticks.add(lateNanos, nowNanos);
        if (!leads) {
            answers.clear();
            answeredAt.clear();
        }
        if (nowNanos - toldAt >= TOLD_NANOS) {
            toldAt = nowNanos;
            Map<NodeId, Long> slowest = new HashMap<>();
            answers.forEach((node, tail) -> slowest.put(node, tail.nanos(nowNanos)));
            listener.onPace(ticks.nanos(nowNanos), slowest);
        }
    }
}
