package io.quantadb.node.runtime;

import io.quantadb.node.cluster.LagClock;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;

/**
 * On a primary: how far the members are that another standby feeds, as they said last, so that they are shown beside those
 * that stream from here and their slots are moved. {@link #positions} on any thread, all else on the core's.
 */
final class FedMembers {
    private final Map<NodeId, LagClock> lags = new HashMap<>();
    private final Map<NodeId, Lsn> seen = new HashMap<>();
    private long epoch;
    private volatile Map<NodeId, Lsn> positions = Map.of();

    /** A look at all members begins. */
    void begin(long present) {
        seen.clear();
        if (present != epoch) {
            epoch = present;
            lags.clear();
        }
    }

    /**
     * One of them has flushed up to there.
     *
     * @param end of this primary's WAL
     * @return how old the oldest WAL is that it lacks, in milliseconds; at most a quarter of a second too much, since so often
     *     it says where it is
     */
    long flushed(NodeId member, Lsn upTo, Lsn end, long nowNanos) {
        seen.put(member, upTo);
        LagClock lag = lags.computeIfAbsent(member, _ -> new LagClock());
        lag.written(end, nowNanos);
        lag.flushed(upTo);
        return lag.nanos(nowNanos) / 1_000_000;
    }

    /** The look is over. */
    void end() {
        lags.keySet().retainAll(seen.keySet());
        positions = Map.copyOf(seen);
    }

    /** Nobody's on a standby. */
    Map<NodeId, Lsn> positions() {
        return positions;
    }
}
