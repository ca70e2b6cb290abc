package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The guards of the protocol, each in one place and named as protocol.md names it, so that a reader finds all on one
 * page and the simulation can show that each is needed by putting a wrong one in its place. Pure; there is one
 * instance per core and none of its methods depends on another's state.
 */
public class ProtocolRules {
    /** Rule entries, Promote and Release change only the (epoch, version) that they were decided upon. */
    public boolean conditionHolds(ClusterState state, Command.Condition on) {
        return state.epoch() == on.epoch() && state.version() == on.version();
    }

    /** How many of R must answer a freeze so that no k of them can acknowledge any more: |S| - k + 1. */
    public int freezeQuorum(Rule governing) {
        return governing.freezeQuorum();
    }

    /** Whether this answer is one of R's: the generation that the rule names, no older and no newer one. */
    public boolean answersFor(Rule governing, MemberRef answered) {
        return governing.set().contains(answered);
    }

    /**
     * A, C, D, E: nobody is promoted before the old lease has surely ended or was given back.
     *
     * @param over what was granted, by this leader's own clock
     */
    public boolean leaseOver(boolean over) {
        return over;
    }

    /** A, C: of those that answered, whoever is promoted holds the furthest position. */
    public boolean holdsFurthest(ClusterState state, Position end, Position best) {
        return EpochHistory.ORDER.compare(end, best) >= 0;
    }

    /** C: without knowing all that was acknowledged only where nobody is asked beside the primary, and by the operator's choice. */
    public boolean mayLoseByItself(ClusterState state) {
        return state.rule().k() == 0 && state.settings().mode() == Settings.Mode.ASYNC;
    }

    /**
     * C: whether enough was waited for before the furthest ahead is taken.
     *
     * @param all who was reached and holds data has answered
     * @param longEnough the bound is over
     */
    public boolean heardOut(boolean all, boolean longEnough) {
        return all || longEnough;
    }

    /** D: only where no failover goes on by itself, which would lose nothing. */
    public boolean mayForce(boolean goesOnByItself) {
        return !goesOnByItself;
    }

    /** A, C: a failover stays in the region of the primary, or of the last released one, where the operator wants it to. */
    public boolean mayFailOverTo(ClusterState state, Member chosen) {
        return Candidates.inReach(state, chosen);
    }

    /** How long after so many moves away from a living primary for one cause the next one waits. */
    public long moveDelayMillis(int first, int moves) {
        return MoveBackoff.delayMillis(first, moves);
    }

    /** How long an epoch that is not released is left alone before the other way out is tried. */
    public long barredNanos(ClusterState state) {
        return BarredEpoch.patienceNanos(state);
    }

    /** The timeline of the next Promote that begins one: never one issued before. */
    public int nextTimeline(ClusterState state) {
        return state.lastTimeline() + 1;
    }

    /** Only B with its server kept goes on with the timeline that it writes. */
    public boolean mayKeepTimeline(ClusterState state, Command.Promote promote) {
        return promote.kind() == Command.PromoteKind.SAME_PRIMARY
                && promote.node().equals(state.primary());
    }

    /** Whether a node whose WAL ends there may stream from the primary of that timeline. */
    public boolean onBranch(List<EpochRecord> history, int timeline, Position end) {
        return EpochHistory.onBranch(history, timeline, end);
    }

    /**
     * Discard: what a data directory is called before the first byte of it is lost, by a clone or by a rewind. Newer than
     * anything that it was called, so that what the old one acknowledged counts for nothing.
     *
     * @param rewinds only what lies beyond the fork is lost
     */
    public long nextGeneration(boolean rewinds, long own, long known) {
        return Math.max(own, known) + 1;
    }

    /**
     * Feed: a standby lets members read its WAL only under the epoch for which it was compared, and in which it streams from
     * the primary itself.
     *
     * @param streamed the epoch of the checked stream that it has from the primary, 0 when there is none
     */
    public boolean mayFeed(ClusterState state, long streamed) {
        return state.epoch() > 0 && streamed == state.epoch();
    }

    /** Who may be fed by another than the primary: nobody whose acknowledgement is asked for, now or ever. */
    public boolean mayBeFed(MemberKind kind) {
        return kind == MemberKind.READ_REPLICA;
    }

    /** For how long a standby must have fed without a break until a member goes to it. */
    public long upstreamHoldNanos() {
        return UpstreamChoice.HOLD_NANOS;
    }

    /**
     * Version: the highest that all members read, 0 when one of them has not said.
     *
     * @param reads what they said of late, and this node's own
     */
    public int versionForAll(Set<PeerId> members, Map<PeerId, Integer> reads) {
        return members.stream().mapToInt(m -> reads.getOrDefault(m, 0)).min().orElse(0);
    }

    /** Version: a node is let in that reads what the cluster is at, or is about to be. */
    public boolean letsIn(int reads, int needed) {
        return reads >= needed;
    }

    /** Version: raised for the members that were asked, and no others. */
    public boolean askedAll(ClusterState state, Set<PeerId> asked) {
        return asked.size() == state.members().size()
                && state.members().values().stream().allMatch(m -> asked.contains(m.peer()));
    }

    /** Whether k' of the new half have flushed what Finish or Release waits for. */
    public boolean nextSatisfied(Rule next, MemberRef primary, Map<MemberRef, Lsn> flushed, Lsn waitedFor) {
        return VoiceRule.allows(next, primary, flushed, waitedFor).atLeast(waitedFor);
    }

    /** Leave: only who stands in neither half of the rule, and is not primary, nor the last released one meanwhile. */
    public boolean mayLeave(ClusterState state, NodeId node) {
        boolean primary = node.equals(state.primary()) || (!state.released() && node.equals(state.releasedPrimary()));
        return !primary && !state.inRules(node);
    }

    /** Leaving begins in a released epoch and never with its primary; who is leaving is not promoted any more. */
    public boolean mayBeginToLeave(ClusterState state, NodeId node) {
        return state.released() && !node.equals(state.primary());
    }

    /**
     * Fence: neither a primary nor, while a later epoch is unreleased, the last released one, which alone may hold all that
     * was acknowledged; unless its server is to be stopped whoever waits for it.
     */
    public boolean mayFence(ClusterState state, NodeId node, Fence fence) {
        boolean needed = node.equals(state.primary()) || (!state.released() && node.equals(state.releasedPrimary()));
        return fence != Fence.SHUT || !needed;
    }

    /** A fenced member is never promoted, by whatever right. */
    public boolean mayBePromoted(Member chosen) {
        return !chosen.fence().fenced();
    }

    /** Whether a fenced member's server is to be down: not while a commit or a failover counts on it. */
    public boolean mayStopFenced(ClusterState state, Member member) {
        return switch (member.fence()) {
            case NONE -> false;
            case SHUT -> mayLeave(state, member.node());
            case STOPPED -> true;
        };
    }

    /** Maintenance holds back what has no effect yet: not an epoch that waits for its release, nor after a promise. */
    public boolean mayHoldBack(ClusterState state, boolean promised) {
        return state.released() && !promised;
    }

    /** Finish: the rule goes on without anybody beside the primary only where the data of all others are lost for good. */
    public boolean mayGoOnAlone(boolean othersAreLost) {
        return othersAreLost;
    }

    /** Open: only for the released epoch. */
    public boolean mayOpen(ClusterState state) {
        return state.released();
    }

    /** Finish: the insert position is read only once the relay obeys the joint rule of this version. */
    public boolean mayReadInsertPosition(long obeyedVersion, long version) {
        return obeyedVersion >= version;
    }

    /** E: where the WAL of a primary that gives way ends, once it writes nothing any more; null before. */
    public @Nullable Position stoppedAt(LocalStatus primary) {
        return primary.server() == ServerState.DOWN ? primary.position() : null;
    }

    /**
     * E: the end of everything that the primary of the epoch has acknowledged, has shown, or ever will: what it answered
     * to the freeze, hence with its server down and its promise on disk; null as long as it has not.
     *
     * @param reported where it said that it had stopped
     */
    public @Nullable Position endOfPrimary(@Nullable Position reported, CoordMessage.@Nullable FreezeReply frozen) {
        return frozen == null ? null : frozen.position();
    }

    /** E: whether who ends there, on the same timeline, holds all of it. */
    public boolean holdsAllOf(Position primaryEnd, Position end) {
        return end.timeline() == primaryEnd.timeline() && end.lsn().atLeast(primaryEnd.lsn());
    }

    /**
     * Whether a primary still holds transactions back for a switchover: until the time that it was told, and no longer
     * than the term of the leader that told it.
     */
    public boolean mayHold(long nowNanos, long untilNanos, boolean sameTerm) {
        return sameTerm && nowNanos < untilNanos;
    }
}
