package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;

/**
 * The lines on which safety hangs, one method each, so that a test can take a single one away and show that the
 * simulation notices. The product uses exactly this class; there is no setting that changes it.
 */
public class RaftRules {
    /** What is written when the hard state changes: all of it, the vote above all (Raft §5.2, §5.4.1). */
    public HardState persisted(HardState state) {
        return state;
    }

    /** One vote in a term, and again for the same candidate only (Raft §5.2). */
    public boolean mayVote(HardState state, PeerId candidate) {
        return state.vote() == null || state.vote().equals(candidate);
    }

    /** Only an entry of the leader's own term is committed by counting (Raft §5.4.2). */
    public boolean countsForCommit(long entryTerm, long currentTerm) {
        return entryTerm == currentTerm;
    }

    /** No membership change before an entry of the leader's own term is committed (Ongaro, raft-dev 2015-07-10). */
    public boolean mayChangeMembership(boolean ownTermCommitted) {
        return ownTermCommitted;
    }

    /** A lease counts from before the send of what was acknowledged, never from the answer (thesis §6.4.1). */
    public long leaseStart(long sentNanos, long repliedNanos) {
        return sentNanos;
    }

    /**
     * A lease counts on a member for as long as that one has said that it votes for no other, not for as long as this node
     * would wait itself: members take longer timers one after another, and some may be late.
     */
    public long lent(long ownWaitNanos, long promisedNanos) {
        return promisedNanos;
    }

    /** Nobody campaigns before it may vote: a timer that has become shorter does not end what it promised before. */
    public boolean mayCampaign(long nowNanos, long mayVoteFromNanos) {
        return nowNanos - mayVoteFromNanos >= 0;
    }

    /** A leader by transfer waits as long as any who voted for it would have waited for the leader before. */
    public long awaited(long ownWaitNanos, long votersWaitNanos) {
        return Math.max(ownWaitNanos, votersWaitNanos);
    }

    /** Who stops leading votes for nobody as long as what was lent by its word may last. */
    public long mayVoteAfterLeading(long nowNanos, long ownWaitNanos, long lentUntilNanos) {
        long lent = lentUntilNanos - nowNanos;
        return nowNanos + Math.max(ownWaitNanos, lent + lent / 4);
    }

    /** A node whose disk was emptied or restored is another peer than before. */
    public boolean samePeer(PeerId a, PeerId b) {
        return a.equals(b);
    }
}
