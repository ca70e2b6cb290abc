package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/** What the decision cores of different nodes say to each other, beside Raft. Every one names the Raft term. */
public sealed interface CoordMessage {
    long term();

    /** Any member to the leader: its status. */
    record Report(long term, long incarnation, LocalStatus status) implements CoordMessage {}

    /** Leader to a member, without effect: would you answer a freeze, and how far are you? */
    record Probe(long term, long round) implements CoordMessage {}

    record ProbeReply(long term, long round, LocalStatus status) implements CoordMessage {}

    /** Leader to a member of S: persist the promise for this epoch, close lower streams, flush, tell your position. */
    record Freeze(long term, long epoch) implements CoordMessage {}

    /**
     * A member's answer; it counts for the leader of this term alone. {@code position} is null when the node cannot
     * tell for sure where its WAL ends, and then it does not count.
     */
    record FreezeReply(
            long term,
            long epoch,
            long generation,
            @Nullable Position position,
            Lsn replayed) implements CoordMessage {}

    /** Leader to the chosen candidate: fetch what is missing up to {@code target} from that node before Promote. */
    record Fetch(long term, long epoch, NodeId from, Position target) implements CoordMessage {}

    /** Leader to the furthest-ahead that may not be primary: serve that candidate what it lacks, frozen as you are. */
    record ServeFetch(long term, long epoch, NodeId to) implements CoordMessage {}

    record FetchReply(
            long term, long epoch, boolean done, @Nullable Position position) implements CoordMessage {}

    /** Primary to leader: grant me a lease; {@code requestId} ties the answer to when it was asked. */
    record LeaseRequest(long term, long epoch, long requestId) implements CoordMessage {}

    /** Leader to primary: good for this long, counted from when the request was sent. */
    record LeaseGrant(long term, long epoch, long requestId, long durationNanos) implements CoordMessage {}

    /**
     * Primary to leader: it serves no more and holds no lease (the answer to {@link LeaseRecall}, or unasked). Every
     * request up to this one is void, answered or not; a later grant of the same run of the agent is not.
     */
    record LeaseReturned(long term, long epoch, long requestId) implements CoordMessage {}

    /** Leader to primary: stop serving and give the lease back. */
    record LeaseRecall(long term, long epoch) implements CoordMessage {}

    /** Leader to the primary of this released epoch whose server is down: start it again in place. */
    record RestartInPlace(long term, long epoch) implements CoordMessage {}

    /** Leader to a member that is not primary: throw your data of this generation away and copy the primary's. */
    record Discard(long term, long epoch, long generation) implements CoordMessage {}

    /** Leader to a standby: start your server anew; {@code number} grows with every order, and each is obeyed once. */
    record RestartServer(long term, long epoch, long number) implements CoordMessage {}

    /** Primary to leader, after its relay obeys the joint rule of this version: the insert position read then. */
    record JointObeyed(long term, long version, Lsn insertPosition) implements CoordMessage {}

    /** Primary to leader: k' of the new set have flushed past what Finish or Release of this version waits for. */
    record NextRuleSatisfied(long term, long version, int timeline, int parentTimeline, Lsn fork)
            implements CoordMessage {}

    // ---- switchover

    /** Leader to every member: where a switchover stands. */
    record SwitchoverTold(long term, SwitchoverReport report) implements CoordMessage {}

    /** What a primary that gives way is told to do; values are only ever added at the end. */
    enum Step {
        /** Write a checkpoint, so that the stop has little left to write. */
        PREPARE,
        /** Begin no transaction for anybody, and let those under way end. */
        HOLD,
        /** Serve as before. Only as long as STOP was not obeyed. */
        RESUME,
        /** Fence and stop. There is no way back from here but to be promoted, or started, again. */
        STOP
    }

    /**
     * Leader to the primary of this epoch, said again until it is answered. STOP is obeyed only while the same round is
     * held, so that one which comes late finds nothing to do.
     *
     * @param round grows with every switchover of this leader
     * @param drainMillis with HOLD: how long transactions under way may go on
     */
    record SwitchoverStep(long term, long epoch, long round, Step step, NodeId heir, int drainMillis)
            implements CoordMessage {}

    /**
     * Primary to leader: what was done of this round. RESUME says that nothing is held any more, whoever decided that.
     *
     * @param heldMillis for how long new transactions have been held back
     */
    record SwitchoverStepDone(long term, long epoch, long round, Step step, long heldMillis) implements CoordMessage {}

    /** Primary to leader: its front is open in this epoch; said a few times. */
    record Serves(long term, long epoch) implements CoordMessage {}

    // ---- members that feed others

    /**
     * A standby that is fed by another than the primary, or feeds somebody, to whom it concerns: four times a second, and at
     * once when anything but a position has changed.
     *
     * @param upstream whom it follows, null for nobody
     * @param streaming the epoch of the checked stream that it follows now, 0 when none
     * @param feeds the epoch under which it feeds those that are to stream from it, 0 when it does not
     * @param flushed what it has flushed of its stream
     */
    record Follows(long term, @Nullable NodeId upstream, long streaming, long feeds, Lsn flushed, Lsn replayed)
            implements CoordMessage {}

    // ---- releases

    /** A member to the leader, once a second while the cluster's version is lower: what its release reads. */
    record Reads(long term, long incarnation, int version) implements CoordMessage {}

    // ---- pace

    /** Any member to the leader, once a second: how late the slowest of its ticks came of late. */
    record Pace(long term, long tickLateNanos) implements CoordMessage {}
}
