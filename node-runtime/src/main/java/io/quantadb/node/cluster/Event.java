package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Map;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/** Everything that can happen to the decision core of one node, as plain data. The time comes beside it. */
public sealed interface Event {
    /** Comes every few milliseconds; the wall clock is for records that people read, never for decisions. */
    record Tick(long wallMillis) implements Event {}

    // ---- Raft

    /** A new cluster state was applied from the Raft log or a snapshot. */
    record StateApplied(ClusterState state, long index) implements Event {}

    /** Raft's role, term or leader changed. {@code ownTermApplied} turns true once a leader has applied an entry of its term. */
    record RaftChanged(boolean leader, long term, @Nullable NodeId leaderId, boolean ownTermApplied, boolean byTransfer)
            implements Event {}

    /** The Raft leader's lease (this node leads) is good until then, on this node's monotonic clock. */
    record LeaderLease(long untilNanos) implements Event {}

    /** The Raft group's members, at start and whenever a membership entry is in the log. */
    record RaftMembership(SortedSet<PeerId> voters, SortedSet<PeerId> learners) implements Event {}

    /**
     * Once a second: how slow the slowest ticks of this node were of late and, on the leader, the slowest answers of each
     * member.
     */
    record Paced(long tickLateNanos, Map<NodeId, Long> answersNanos) implements Event {
        public Paced {
            answersNanos = Map.copyOf(answersNanos);
        }
    }

    /** A proposal of this node was refused or lost; the state tells what was decided instead. */
    record ProposalFailed(Command command) implements Event {}

    // ---- other nodes

    record Received(NodeId from, CoordMessage message) implements Event {}

    /** Any authenticated message came from that node: a sign of life, not a lease. */
    record Heard(NodeId from) implements Event {}

    /** The control connection to that node was reset or refused: a reason to probe, not a verdict. */
    record Unreachable(NodeId node) implements Event {}

    /**
     * A node asks to be let in; it asks again until it is accepted. Answered by {@link
     * Action.JoinAnswer}. From whom it is to stream counts when it is let in; afterwards an operator says so.
     *
     * @param reads the newest {@link ClusterVersion} that its release reads
     */
    record JoinAsked(
            long requestId,
            PeerId peer,
            MemberKind kind,
            Addresses addresses,
            String zone,
            int priority,
            @Nullable NodeId upstream,
            int reads)
            implements Event {
        /** One of this release that is to stream from the primary. */
        public JoinAsked(long requestId, PeerId peer, MemberKind kind, Addresses addresses, String zone, int priority) {
            this(requestId, peer, kind, addresses, zone, priority, null, ClusterVersion.NEWEST);
        }
    }

    /** A member tells where it is reached, where it stands and its priority by now; answered as a join, and lets nobody in. */
    record MemberTold(long requestId, PeerId peer, Addresses addresses, String zone, int priority) implements Event {}

    /** An operator asks for a change; answered by {@link Action.AdminAnswer}. */
    record AdminAsked(long requestId, AdminRequest request) implements Event {}

    // ---- this node's disk

    record PromisePersisted(long epoch) implements Event {}

    record GenerationPersisted(long generation) implements Event {}

    /** This node's disk leaves a flush unanswered or fails it, in words without times; empty when it is well again. */
    record DiskHealth(String trouble) implements Event {}

    // ---- this node's PostgreSQL

    /** The running server leaves a question unanswered, in words without times; empty when it answers, or none runs. */
    record ServerHealth(String trouble) implements Event {}

    /** The server's state changed; {@code timeline} is 0 when unknown. */
    record ServerChanged(ServerState state, int timeline) implements Event {}

    /** The server ended without being asked to. */
    record ServerExited(String how) implements Event {}

    /** The server could not be started, promoted or cloned; the shell tries again only when told. */
    record ServerFailed(String what) implements Event {}

    /**
     * Promotion or crash recovery is over: the server is out of recovery and takes local SQL connections.
     *
     * @param fork where this timeline left its parent, {@link Lsn#NONE} when nothing was promoted
     * @param recoveryEnd the flushed end of its WAL then, the first record of its timeline included
     */
    record ServerPrimaryReady(int timeline, int parentTimeline, Lsn fork, Lsn recoveryEnd) implements Event {}

    /** Answer to {@link Action.ReadPosition}; null when the node cannot tell for sure. */
    record PositionRead(long requestId, @Nullable Position position) implements Event {}

    /** Answer to {@link Action.ReadInsertPosition}. */
    record InsertPositionRead(long version, Lsn insert) implements Event {}

    /** The checkpoint asked for is written. */
    record CheckpointDone(long round) implements Event {}

    /** The clone asked for is complete and on disk; the server is down. */
    record CloneDone(long generation) implements Event {}

    /** The clone asked for ended because its epoch did; nothing failed here, and nothing in the directory may be used. */
    record CloneOvertaken() implements Event {}

    /** The rewind asked for is done and on disk, as {@link CloneDone}. */
    record RewindDone(long generation) implements Event {}

    /**
     * It was not to be done, or broke off.
     *
     * @param untouched the epoch that it was for was over before anything was changed: the data are what they were;
     *     otherwise nothing in the data directory may be used any more
     */
    record RewindFailed(String what, boolean untouched) implements Event {}

    /** A cancelled wait was seen on this primary: commits up to {@code lsn} may show unacknowledged. */
    record WaitCancelled(Lsn lsn) implements Event {}

    // ---- this node's front

    /** No transaction of a client is under way any more, and none begins until {@link Action.ResumeFront}. */
    record FrontDrained(long round) implements Event {}

    // ---- this node's relay

    /** This standby's stream is open: START_REPLICATION was accepted there. */
    record StreamOpened(NodeId upstream, long epoch, int timeline, Lsn start) implements Event {}

    record StreamClosed(NodeId upstream, long epoch, String reason) implements Event {}

    /** The upstream has not got the WAL any more that comes next here; said each time that the receiver asks for it. */
    record WalRemoved(NodeId upstream, long epoch) implements Event {}

    /** The upstream's server refused to stream that timeline to the receiver, which asks for it at every try. */
    record TimelineRefused(NodeId upstream, long epoch, int timeline) implements Event {}

    /**
     * The receiver wants to begin beyond the position that was compared, and nothing is followed until that was done
     * anew: a receiver that died among the zeros behind a segment switch goes on in the next segment.
     */
    record StartUnvouched(NodeId upstream, long epoch) implements Event {}

    /** The receiver of this standby flushed, and what was delivered to it on the stream of that epoch. */
    record ReceiverProgress(long epoch, Lsn delivered, Lsn flushed, Lsn replayed) implements Event {}

    /** All streams below this epoch are closed and the receiver has flushed what it was given, or gave up. */
    record StreamsClosedBelow(long epoch) implements Event {}

    /** On the primary: a member's checked stream of this epoch reports; the flush is already capped by what was delivered. */
    record MemberProgress(MemberRef member, long epoch, Lsn flushed, Lsn applied) implements Event {}

    /** On the primary: a member's stream ended. */
    record MemberGone(MemberRef member, long epoch) implements Event {}

    /** The voice streams and reports; commits wait for it. */
    record VoiceOpened() implements Event {}

    record VoiceClosed(String reason) implements Event {}

    /** The relay computes with this permit from now on; nothing older is used any more. */
    record PermitObeyed(long epoch, long version) implements Event {}

    /** What the voice has reported so far. */
    record VoiceReported(Lsn lsn) implements Event {}

    /** The probe commit was seen waiting for the voice. */
    record ProbeCommitWaited(long attempt) implements Event {}

    /** It was over without a wait: nothing holds commits back, unless the voice had its permit by then. */
    record ProbeCommitPassed(long attempt) implements Event {}
}
