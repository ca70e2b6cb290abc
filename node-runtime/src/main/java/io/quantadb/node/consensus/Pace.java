package io.quantadb.node.consensus;

import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;

/**
 * How quick this node and its links are: how late the core thread's ticks come, and how long answers to heartbeats take
 * while this node leads. Told once a second. What happens in the first {@value #SETTLE_SECONDS} seconds of a process, or of
 * a member that was away, is the price of its start and counts for nothing. Owned by the core thread.
 */
final class Pace {
    private static final long TOLD_NANOS = 1_000_000_000L;

    /** What a node that had stopped answers all at once tells as little as one answer does. */
    private static final long APART_NANOS = 200_000_000L;

    private static final int SETTLE_SECONDS = 20;
    private static final long SETTLE_NANOS = SETTLE_SECONDS * 1_000_000_000L;
    private static final long AWAY_NANOS = 2_000_000_000L;

    /** One member's answers. */
    private static final class Answers {
        private final Tail tail;
        private long since;
        private long lastAt;
        private long countedAt;

        private Answers(long nowNanos) {
            this.tail = new Tail(nowNanos);
            this.since = nowNanos;
            this.lastAt = nowNanos;
            this.countedAt = nowNanos;
        }
    }

    private final RaftListener listener;
    private final Tail ticks;
    private final Map<NodeId, Answers> answers = new HashMap<>();
    private final long startedAt;
    private long toldAt;

    Pace(RaftListener listener, long nowNanos) {
        this.listener = listener;
        this.ticks = new Tail(nowNanos);
        this.startedAt = nowNanos;
        this.toldAt = nowNanos;
    }

    void answered(NodeId from, long tookNanos, long nowNanos) {
        Answers a = answers.computeIfAbsent(from, _ -> new Answers(nowNanos));
        if (nowNanos - a.lastAt >= AWAY_NANOS) {
            a.since = nowNanos;
        }
        a.lastAt = nowNanos;
        if (nowNanos - a.since >= SETTLE_NANOS && nowNanos - a.countedAt >= APART_NANOS) {
            a.countedAt = nowNanos;
            a.tail.add(tookNanos, nowNanos);
        }
    }

    /** @param leads what others answered an earlier leader is of no use to a later one */
    void ticked(long lateNanos, boolean leads, long nowNanos) {
        if (nowNanos - startedAt >= SETTLE_NANOS) {
            ticks.add(lateNanos, nowNanos);
        }
        if (!leads) {
            answers.clear();
        }
        if (nowNanos - toldAt >= TOLD_NANOS) {
            toldAt = nowNanos;
            Map<NodeId, Long> slowest = new HashMap<>();
            answers.forEach((node, a) -> slowest.put(node, a.tail.nanos(nowNanos)));
            listener.onPace(ticks.nanos(nowNanos), slowest);
        }
    }
}
