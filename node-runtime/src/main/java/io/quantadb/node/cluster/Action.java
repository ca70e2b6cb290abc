package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Everything the decision core of one node can ask for, as plain data; the coordinator carries it out in order. */
public sealed interface Action {
    // ---- Raft

    record Propose(Command command) implements Action {}

    record TransferLeadership(NodeId to) implements Action {}

    record AddLearner(PeerId peer) implements Action {}

    record PromoteToVoter(PeerId peer) implements Action {}

    /** It votes no more, and follows on. */
    record DemoteToLearner(PeerId peer) implements Action {}

    record RemovePeer(PeerId peer) implements Action {}

    // ---- other nodes

    record Send(NodeId to, CoordMessage message) implements Action {}

    /** Answer to {@link Event.JoinAsked}. */
    record JoinAnswer(long requestId, JoinVerdict verdict, String words) implements Action {}

    /** What becomes of a node that asks to be let in. */
    enum JoinVerdict {
        /** It is a member: it may follow the Raft log as the learner (or voter) that it is. */
        ACCEPTED,
        /** Being worked at: ask again. */
        WAIT,
        /** Another node leads: ask there. */
        NOT_LEADER,
        /** Another node of that id runs; the words say so. */
        ID_IN_USE,
        /** This incarnation votes already, and another disk of it must not: to be asked as another one. */
        SPENT,
        /** Not as things are; the words say why. */
        REFUSED
    }

    /** Answer to {@link Event.AdminAsked}. */
    record AdminAnswer(long requestId, AdminVerdict verdict, String words) implements Action {}

    /** What becomes of an operator's request. */
    enum AdminVerdict {
        /** Begun, or as it is already; the state tells how far it is. */
        ACCEPTED,
        /** Another node leads, named by the words (empty when none is known): ask there. */
        NOT_LEADER,
        /** Not at this moment; the words say why. Asking again helps. */
        NOT_NOW,
        /** Not as things are; the words say why and what to do. */
        REFUSED,
        /** Only when it is asked for once more, with the cluster's name; the words say what it would do. */
        UNCONFIRMED
    }

    // ---- this node's disk

    /** Flush before anything that depends on it; answered by {@link Event.PromisePersisted}. */
    record PersistPromise(long epoch) implements Action {}

    /** Takes a new generation before the first byte of the old data is lost. */
    record PersistGeneration(long generation) implements Action {}

    // ---- this node's PostgreSQL

    record StartStandby() implements Action {}

    /** Start out of recovery (crash recovery in place); only under a lease. */
    record StartPrimary() implements Action {}

    /** Immediate when {@code immediate}, else fast; the front and the voice are closed first, the stop has a deadline. */
    record StopServer(boolean immediate) implements Action {}

    /** Write the placeholder histories up to {@code timeline - 1}, signal, repeat until out of recovery, check. */
    record PromoteServer(long epoch, int timeline) implements Action {}

    record ReadPosition(long requestId) implements Action {}

    record ReadInsertPosition(long version) implements Action {}

    /** Write a checkpoint while the server serves on; answered by {@link Event.CheckpointDone}, or never. */
    record Checkpoint(long round) implements Action {}

    /**
     * Throw the data directory away (generation taken already) and clone from that node under this epoch, when it is this
     * node's turn to.
     *
     * @param distrusted until then too nothing in it may be used, also by the next run of the agent
     */
    record Clone(NodeId from, long epoch, long generation, boolean distrusted) implements Action {}

    /**
     * Keep a copy of the WAL beyond {@code fork}, then make the data directory a part of that node's again without copying
     * all of it (generation taken already). The server is down. Answered by {@link Event.RewindDone} or {@link
     * Event.RewindFailed}.
     *
     * @param end where this node's WAL ends
     * @param fork up to where that is also the other node's
     */
    record Rewind(NodeId from, long epoch, long generation, Position end, Lsn fork) implements Action {}

    // ---- this node's relay

    /** Follow that node under this epoch; {@code checked} is the WAL end that was found in the epoch history. */
    record Follow(NodeId upstream, long epoch, long generation, Position checked) implements Action {}

    record StopFollowing() implements Action {}

    /** Close every stream, served or followed, of an epoch below this; answered by {@link Event.StreamsClosedBelow}. */
    record CloseStreamsBelow(long epoch) implements Action {}

    /** Let that node, and nobody else, read WAL under this epoch; it acknowledges nothing by it. */
    record ServeFetch(NodeId to, long epoch) implements Action {}

    /** Accept streams of members for exactly this epoch; 0 accepts none. */
    record ServeStreams(long epoch) implements Action {}

    /**
     * On a standby: let these nodes, and nobody else, read WAL under this epoch, which it follows itself; 0 lets nobody.
     * They acknowledge nothing by it.
     */
    record FeedMembers(long epoch, Set<NodeId> members) implements Action {
        public FeedMembers {
            members = Set.copyOf(members);
        }
    }

    /** End every stream that is served but the WAL stream of that node, and take no other in this epoch. */
    record KeepOnlyStream(NodeId of) implements Action {}

    record OpenVoice() implements Action {}

    record CloseVoice() implements Action {}

    /** Compute the voice with this from now on; null reports nothing more. Answered by {@link Event.PermitObeyed}. */
    record SetPermit(@Nullable VoicePermit permit) implements Action {}

    /**
     * Run a commit that must be seen to wait; answered by {@link Event.ProbeCommitWaited}, {@link
     * Event.ProbeCommitPassed}, or not at all when neither was seen in time.
     */
    record ProbeCommit(long attempt) implements Action {}

    // ---- this node's front

    /** Serve clients as the primary of this epoch, under the lease that {@link ServeLease} keeps current. */
    record OpenFront(long epoch) implements Action {}

    /** Stop forwarding and cut every session of the primary. */
    record CloseFront(String reason) implements Action {}

    /**
     * Let no client begin a transaction; answered by {@link Event.FrontDrained} once none is under way, but those that wait
     * for their client for a fifth of {@code drainMillis}: they are not worth more.
     */
    record DrainFront(long epoch, long round, int drainMillis) implements Action {}

    /** The end of {@link DrainFront}: what was held back goes on. */
    record ResumeFront() implements Action {}

    /** The lease on this node's clock, for the front and for the voice, from before the front opens; a past time ends it. */
    record ServeLease(long epoch, long untilNanos) implements Action {}

    /** Hold every answer of the primary's sessions until the voice has passed this position. */
    record HoldAnswers(Lsn until) implements Action {}

    // ---- telling people

    /** Where a switchover stands, whoever asked for it. */
    record ShowSwitchover(SwitchoverReport report) implements Action {}

    /** One line that stands alone in an incident review; {@code story} is raft, replication, failover or cluster. */
    record Tell(String story, String what, @Nullable MemberRef member) implements Action {}
}
