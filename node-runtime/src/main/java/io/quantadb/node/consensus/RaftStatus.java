package io.quantadb.node.consensus;

import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.Role;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Consensus on this node, as one immutable value that any thread may read.
 *
 * @param followers a leader's view of the others, empty elsewhere
 * @param leaseUntilNanos on this node's monotonic clock; in the past when there is no lease
 * @param ownTermApplied this node leads and has applied an entry of its own term, so its state is not behind any other
 * @param byTransfer it leads because the leader before asked it to, and waits one full lease before it has its own
 * @param disowned this incarnation may not take part any more and must come back as a new one
 * @param regressed it may not because its log lacks what it had acknowledged: its volume was put back to an earlier copy
 */
public record RaftStatus(
        PeerId self,
        Role role,
        long term,
        @Nullable PeerId leader,
        long commitIndex,
        long appliedIndex,
        long lastIndex,
        Membership membership,
        List<Follower> followers,
        long leaseUntilNanos,
        boolean ownTermApplied,
        boolean byTransfer,
        long electedAtNanos,
        boolean disowned,
        boolean regressed) {

    public RaftStatus {
        followers = List.copyOf(followers);
    }

    public boolean isLeader() {
        return role == Role.LEADER;
    }

    /**
     * @param lag entries of the leader's log that this member has not acknowledged
     * @param lastLatencyMs of the last answered request, -1 when none was
     * @param consecutiveFailures heartbeats without an answer since the last one
     * @param silentMs since it last answered
     */
    public record Follower(
            PeerId peer,
            boolean voter,
            long match,
            long lag,
            double lastLatencyMs,
            int consecutiveFailures,
            long silentMs,
            boolean regressed) {}
}
