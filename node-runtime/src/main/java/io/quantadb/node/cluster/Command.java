package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A change of the replicated cluster state, carried by one Raft entry. What depends on (epoch, version) names the pair
 * that it replaces in {@link Condition}; where the pair has moved on, it changes nothing.
 */
public sealed interface Command {
    /** The (epoch, rule version) that a command was decided upon. */
    record Condition(long epoch, long version) {
        public static Condition of(ClusterState state) {
            return new Condition(state.epoch(), state.version());
        }
    }

    record Noop() implements Command {}

    /** The first entry of a cluster: one data voter, primary of epoch 1 on the timeline that its server has, released. */
    record Bootstrap(
            String clusterId, long systemIdentifier, int clusterVersion, Member first, int timeline, Settings settings)
            implements Command {}

    /** A new member, as a learner; refused while another incarnation of the node is a member. */
    record AddMember(Member member) implements Command {}

    record UpdateMember(PeerId peer, Addresses addresses, String zone, int priority) implements Command {}

    record SetMaintenance(PeerId peer, boolean maintenance) implements Command {}

    record SetMemberState(PeerId peer, MemberState state) implements Command {}

    /** The member's data directory has this generation now; generations only grow. */
    record SetGeneration(PeerId peer, long generation) implements Command {}

    /** Refused while the node stands in a rule or is, or was last released, primary. */
    record RemoveMember(PeerId peer) implements Command {}

    /** N := rule; only with no N and the epoch released. */
    record Joint(Condition on, Rule rule) implements Command {}

    /** N := another rule, at any time while there is one. */
    record Replace(Condition on, Rule rule) implements Command {}

    /** N := none; only in a released epoch. */
    record Withdraw(Condition on) implements Command {}

    /** R := N; only in a released epoch. */
    record Finish(Condition on) implements Command {}

    /** By what right an epoch is given to a node; protocol.md's Promote A to D, and E of ADR 0020. */
    enum PromoteKind {
        /** A: enough of R are frozen, and the node holds the furthest position. */
        FROZEN,
        /** B: the primary of the released epoch, whose server and timeline are kept, or the last released primary. */
        SAME_PRIMARY,
        /** C: k is 0; what may be lost is bounded and said. */
        ASYNC,
        /** D: an operator forces it. */
        FORCED,
        /** E: the primary of the released epoch has stopped, frozen, and the node holds all of its WAL. */
        HANDED_OVER
    }

    /**
     * The next epoch.
     *
     * @param timeline 1 + the highest ever issued, or the current one when a primary keeps its server
     * @param from the end of the node's WAL that the new timeline forks from; the current timeline and {@link Lsn#NONE}
     *     when the timeline is kept
     * @param nextRule N until Release
     */
    record Promote(
            Condition on,
            long epoch,
            NodeId node,
            long generation,
            PromoteKind kind,
            int timeline,
            Position from,
            Rule nextRule,
            long whenMillis,
            String reason)
            implements Command {}

    /** Ends the joint phase of a promoted epoch; {@code fork} is what PostgreSQL did. */
    record Release(Condition on, int parentTimeline, Lsn fork) implements Command {}

    /** All but the timers, which {@link Retime} changes. */
    record ChangeSettings(Settings settings) implements Command {}

    /**
     * From here on what this version can say may be written. Changes nothing when the members are others by then, or the
     * cluster is there already.
     *
     * @param members all of them; every one reads it
     */
    record SetClusterVersion(int clusterVersion, Set<PeerId> members) implements Command {
        public SetClusterVersion {
            members = Set.copyOf(members);
        }
    }

    /** The election timeout, and the lease with it, follow how quick nodes and links are at this time. */
    record Retime(Timers timers) implements Command {}

    /** Refused for a primary, unless its server is to be stopped whoever waits for it. */
    record SetFence(PeerId peer, Fence fence) implements Command {}

    /** What holds of the member instead of its own configuration, all of it. */
    record SetPlacement(PeerId peer, Placement placement) implements Command {}

    /** From whom it is to stream; null for the primary. Refused where {@link Upstreams} does not let it. */
    record SetUpstream(PeerId peer, @Nullable NodeId upstream) implements Command {}
}
