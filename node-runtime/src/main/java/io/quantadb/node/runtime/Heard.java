package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.RaftStatus;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When each node was last heard, for people to read. Written on the network's thread, read on any.
 *
 * <p>An idle cluster speaks once per heartbeat, so one that is longer than a third of {@value #LATELY_MILLIS} ms makes
 * {@value #HEARTBEATS} of them what counts as lately.
 */
final class Heard implements ControlDispatcher.Watcher {
    private static final long LATELY_MILLIS = 1_000;
    private static final int HEARTBEATS = 3;

    private final IntSupplier heartbeatMillis;
    private final Map<NodeId, Long> last = new ConcurrentHashMap<>();

    /** @param heartbeatMillis the cluster's, which may differ from this node's configuration; asked on any thread */
    Heard(IntSupplier heartbeatMillis) {
        this.heartbeatMillis = heartbeatMillis;
    }

    @Override
    public void onHeard(NodeId from, long receivedNanos) {
        last.put(from, receivedNanos);
    }

    /**
     * Whether silence of that node means anything: the leader speaks to all, the others only to it, also when one of them
     * led before.
     */
    static boolean expected(NodeId node, @Nullable RaftStatus raft) {
        PeerId leader = raft == null ? null : raft.leader();
        return raft == null
                || leader == null
                || leader.node().equals(raft.self().node())
                || leader.node().equals(node);
    }

    /** Milliseconds since that node's last message, -1 when there was none. */
    long silentMillis(NodeId node, long nowNanos) {
        Long at = last.get(node);
        return at == null ? -1 : Math.max(0, (nowNanos - at) / 1_000_000);
    }

    /** Whether a node that said its last so long ago, in milliseconds, is there; not when it said none (-1). */
    boolean lately(long silentMillis) {
        return silentMillis >= 0
                && silentMillis < Math.max(LATELY_MILLIS, (long) HEARTBEATS * heartbeatMillis.getAsInt());
    }

    /** Whether a leader is known and was heard of lately; a learner keeps the last one that it knew. */
    boolean leader(@Nullable RaftStatus raft, long nowNanos) {
        PeerId leader = raft == null ? null : raft.leader();
        if (raft == null || leader == null) {
            return false;
        }
        return raft.isLeader() || lately(silentMillis(leader.node(), nowNanos));
    }
}
