package io.quantadb.node.api;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one node knows of itself and its cluster at one moment: all that the API and the status table tell. Immutable,
 * so that any thread may hand it to any other.
 *
 * @param node who says this
 * @param startTime when its agent started
 * @param uptimeSeconds how long ago that was, by the monotonic clock
 * @param role this node's part
 * @param state what its PostgreSQL is doing
 * @param addresses where it is reached
 * @param raft its place in the consensus group
 * @param primary who is primary by the last applied state; null when nobody was named yet
 * @param epoch the last applied epoch, 0 before the first
 * @param timeline PostgreSQL's timeline of that epoch, 0 when unknown
 * @param lastLsn the end of this node's WAL as far as it knows: written on a primary, flushed on a standby
 * @param rule who acknowledges commits, as {@code ANY 1 of (node2, node3)}; empty when unknown
 * @param settings the replicated settings; null while none are known
 * @param membership whether this node's disk belongs to a cluster
 * @param members every member, this node included; none before it knows them
 * @param lastFailover when the last unplanned change of primary was decided; null before the first
 * @param failoverInProgress an epoch is frozen or promoted but not released yet
 * @param lease this node may serve as primary at this moment
 * @param serving its front forwards to its PostgreSQL as primary at this moment
 * @param healthy this node can play its part
 * @param reason why not; empty when healthy
 */
public record ClusterView(
        NodeId node,
        Instant startTime,
        long uptimeSeconds,
        Role role,
        State state,
        Addresses addresses,
        Raft raft,
        @Nullable NodeId primary,
        long epoch,
        int timeline,
        Lsn lastLsn,
        String rule,
        @Nullable Settings settings,
        Membership membership,
        List<Member> members,
        @Nullable Instant lastFailover,
        boolean failoverInProgress,
        boolean lease,
        boolean serving,
        boolean healthy,
        String reason) {
    public ClusterView {
        members = List.copyOf(members);
    }

    /** PostgreSQL's word for what a node is. */
    public enum Role {
        /** Takes writes. */
        PRIMARY,
        /** Follows the primary. */
        REPLICA,
        /** Was primary, or waits for a place: follows nobody yet. */
        STANDBY,
        /** Votes and holds no data. */
        WITNESS,
        /** Not heard from. */
        UNKNOWN
    }

    /** What a node's PostgreSQL is doing. */
    public enum State {
        /** Primary and released: serves writes. */
        ACTIVE,
        /** Standby with an open, checked stream. */
        STREAMING,
        /** Standby without a stream at this moment. */
        CONNECTING,
        /** The data directory is being copied from another node. */
        CLONING,
        STARTING,
        PROMOTING,
        /** Not running, by intent. */
        STOPPED,
        /** Not running, or its node is not heard from. */
        DOWN,
        UNKNOWN
    }

    /** Whether a node's disk belongs to a cluster. Founding one rests on it: a node that cannot tell is not {@code NONE}. */
    public enum Membership {
        /** To none: the node waits to be let into one, or for the permission to found one. */
        NONE,
        /** To one whose members the node does not know yet, because it just starts. */
        STARTING,
        /** To one that the node plays its part in; a single node without a group is its own. */
        MEMBER
    }

    /** How well a follower follows, judged on WAL. */
    public enum Health {
        HEALTHY,
        LAGGING,
        DESYNCED,
        UNKNOWN
    }

    /** Raft's word for what a node is. */
    public enum RaftState {
        LEADER,
        FOLLOWER,
        CANDIDATE,
        LEARNER,
        /** A single node without a group. */
        NONE
    }

    /** This node's place in the consensus group; {@code leader} is null while none is known. */
    public record Raft(RaftState state, long term, @Nullable NodeId leader, long commitIndex, long lastApplied) {}

    /**
     * One member as this node knows it.
     *
     * @param voter votes in Raft
     * @param acknowledges is in the set that the rule counts
     * @param leaving on its way out by an operator's word
     * @param maintenance not promoted by itself
     * @param lagBytes WAL that the primary has and it has not flushed; -1 when unknown
     * @param lagMs how old that is; -1 when unknown
     * @param lastHeardMs milliseconds since its last message to this node; 0 for this node, -1 when never
     */
    public record Member(
            NodeId id,
            MemberKind kind,
            Role role,
            State state,
            Health health,
            boolean voter,
            boolean acknowledges,
            boolean leaving,
            boolean maintenance,
            Addresses addresses,
            long epoch,
            int timeline,
            Lsn lastLsn,
            long lagBytes,
            long lagMs,
            long lastHeardMs,
            int priority,
            String zone) {
        boolean wellEnough() {
            return health == Health.HEALTHY || health == Health.LAGGING;
        }
    }

    public Optional<Member> member(NodeId id) {
        return members.stream().filter(m -> m.id().equals(id)).findFirst();
    }

    /** How many members stream from this node when it is primary, 0 otherwise. */
    public int replicaCount() {
        return role != Role.PRIMARY
                ? 0
                : (int) members.stream()
                        .filter(m -> m.state() == State.STREAMING && !m.id().equals(node))
                        .count();
    }

    public int healthyMembers() {
        return (int) members.stream().filter(Member::wellEnough).count();
    }

    /**
     * Whether writes are served, as far as this node can tell: a leader and a primary are known, no failover is under
     * way, the primary is well, and a majority of the voters is. The last only the leader can judge: others take it from
     * there being one, since a leader without a majority steps down. A single node counts as its own leader.
     */
    public boolean clusterHealthy() {
        NodeId named = primary;
        if (named == null || failoverInProgress || (raft.leader() == null && raft.state() != RaftState.NONE)) {
            return false;
        }
        if (!member(named).map(Member::wellEnough).orElse(false)) {
            return false;
        }
        long voters = members.stream().filter(Member::voter).count();
        long well = members.stream().filter(m -> m.voter() && m.wellEnough()).count();
        return raft.state() != RaftState.LEADER || well > voters / 2;
    }

    /** Whether every member is well too, so that the loss of one is survived. */
    public boolean complete() {
        return clusterHealthy() && members.stream().allMatch(m -> m.health() == Health.HEALTHY);
    }
}
