package io.quantadb.node.raft;

import java.util.List;

/**
 * What members say to each other. Every message bears its sender's term; {@link RaftCodec} adds the version, the
 * cluster and both {@code PeerId}s. {@code sentNanos} is the leader's own clock when it sent a request and comes
 * back unchanged: it tells the leader from when on that member has promised not to vote for another. For how long, the
 * answer itself says: members change their timers one after another, and no two need agree.
 */
public sealed interface RaftMessage {
    long term();

    /** Would you vote for me in {@code nextTerm}? Changes nothing at the receiver. */
    record PreVote(long term, long nextTerm, long lastIndex, long lastTerm) implements RaftMessage {}

    /**
     * @param nextTerm as asked
     * @param waitNanos when refused because a leader was heard lately: how long until that is over, else 0
     */
    record PreVoteReply(long term, long nextTerm, boolean granted, long waitNanos) implements RaftMessage {}

    /** @param transfer the leader itself asked for this election, so having heard it is no reason to refuse */
    record Vote(long term, long lastIndex, long lastTerm, boolean transfer) implements RaftMessage {}

    /**
     * @param waitNanos with a vote for a transfer: for how long this member would have voted for nobody else, since some
     *     leader may hold a lease by its word for as long
     */
    record VoteReply(long term, boolean granted, long waitNanos) implements RaftMessage {}

    /** Entries that follow {@code prevIndex}; none at all asks whether the logs meet there. */
    record Append(long term, long prevIndex, long prevTerm, List<LogEntry> entries, long commit, long sentNanos)
            implements RaftMessage {
        public Append {
            entries = List.copyOf(entries);
        }
    }

    /**
     * Leaves after what it acknowledges is on disk.
     *
     * @param prevIndex as asked
     * @param match when accepted: the logs agree up to here; when refused: where to try next
     * @param lastIndex where the member's log ends
     * @param waitNanos for how long from the arrival of the request this member votes for no other
     */
    record AppendReply(
            long term, boolean accepted, long prevIndex, long match, long lastIndex, long sentNanos, long waitNanos)
            implements RaftMessage {}

    /** A sign of life; waits for no disk at either end as long as the term does not change. */
    record Heartbeat(long term, long commit, long sentNanos) implements RaftMessage {}

    /** @param waitNanos as in {@link AppendReply} */
    record HeartbeatReply(long term, long lastIndex, long sentNanos, long waitNanos) implements RaftMessage {}

    /** For a member whose next entry is no longer in the leader's log; answered by an {@link AppendReply}. */
    record InstallSnapshot(long term, Snapshot snapshot, long sentNanos) implements RaftMessage {}

    /** Leader to the member that shall lead next: campaign at once. */
    record TimeoutNow(long term) implements RaftMessage {}

    /**
     * Leader to an incarnation that may not take part any more: it was removed, or ({@code regressed}) its log is
     * shorter than what it had acknowledged.
     */
    record Disowned(long term, boolean regressed) implements RaftMessage {}
}
