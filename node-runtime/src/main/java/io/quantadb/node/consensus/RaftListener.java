package io.quantadb.node.consensus;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Map;

/** Whom consensus tells; all on the core thread, nothing may wait. */
public interface RaftListener {
    /** Role, term, leader, commit index, membership, or {@code ownTermApplied} differ from before. */
    void onChanged(RaftStatus status);

    /** This node leads and may act alone until then, on its monotonic clock; a time in the past: no longer. */
    void onLease(long untilNanos);

    /** Every tick, after Raft has had its own. */
    void onTick(long nowNanos);

    /**
     * Once a second: how slow the slowest ticks and, on a leader, the slowest answers to heartbeats were of late.
     *
     * @param tickLateNanos how late the core thread came to its ticks
     * @param answersNanos by member, from the send of a heartbeat to its answer; empty where this node does not lead
     */
    default void onPace(long tickLateNanos, Map<NodeId, Long> answersNanos) {}

    /** That member has lost entries that it had acknowledged: remove it, it must come back as a new incarnation. */
    void onRegressed(PeerId peer);

    /** Consensus on this node has stopped for good (disk, or a broken assertion); the node is unfit and must fence. */
    void onFault(Throwable fault);
}
