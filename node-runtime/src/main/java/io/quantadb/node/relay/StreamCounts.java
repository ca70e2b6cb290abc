package io.quantadb.node.relay;

import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;

/**
 * What is counted of each member's WAL streams beyond the life of one stream: how fast it goes and how often one broke
 * off. Bounded by the number of members that ever streamed in one life of the agent. Confined to the relay's loop.
 */
final class StreamCounts {
    private static final double NANOS_PER_SECOND = 1e9;

    private static final class Count {
        private long bytes;
        private long errors;
        private long measuredBytes;
        private long measuredNanos;
        private double bytesPerSecond;
    }

    private final Map<NodeId, Count> counts = new HashMap<>();

    void passed(NodeId member, int bytes) {
        of(member).bytes += bytes;
    }

    void broke(NodeId member) {
        of(member).errors++;
    }

    /** A few times a second; what is shown is about the last two seconds. */
    void measure(long nowNanos) {
        for (Count c : counts.values()) {
            long passed = nowNanos - c.measuredNanos;
            if (c.measuredNanos != 0 && passed > 0) {
                double now = (c.bytes - c.measuredBytes) * NANOS_PER_SECOND / passed;
                double weight = Math.min(1, passed / (2 * NANOS_PER_SECOND));
                c.bytesPerSecond += (now - c.bytesPerSecond) * weight;
            }
            c.measuredBytes = c.bytes;
            c.measuredNanos = nowNanos;
        }
    }

    long bytesPerSecond(NodeId member) {
        Count c = counts.get(member);
        return c == null ? 0 : Math.round(c.bytesPerSecond);
    }

    long errors(NodeId member) {
        Count c = counts.get(member);
        return c == null ? 0 : c.errors;
    }

    private Count of(NodeId member) {
        return counts.computeIfAbsent(member, _ -> new Count());
    }
}
