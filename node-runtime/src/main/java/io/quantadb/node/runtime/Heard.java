package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.RaftStatus;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** When each node was last heard, for people to read. Written on the network's thread, read on any. */
final class Heard implements ControlDispatcher.Watcher {
    private static final long LATELY_MILLIS = 1_000;

    private final Map<NodeId, Long> last = new ConcurrentHashMap<>();

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

    /** Whether a leader is known and was heard of lately; a learner keeps the last one that it knew. */
    boolean leader(@Nullable RaftStatus raft, long nowNanos) {
        PeerId leader = raft == null ? null : raft.leader();
        if (raft == null || leader == null) {
            return false;
        }
        long silent = raft.isLeader() ? 0 : silentMillis(leader.node(), nowNanos);
        return silent >= 0 && silent < LATELY_MILLIS;
    }
}
