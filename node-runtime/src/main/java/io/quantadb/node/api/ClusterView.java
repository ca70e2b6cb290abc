package io.quantadb.node.api;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.HostPort;
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
 * @param clusterId to which; empty when to none
 * @param members every member, this node included; none before it knows them
 * @param lastFailover when the last unplanned change of primary was decided; null before the first
 * @param failoverInProgress an epoch is frozen or promoted but not released yet
 * @param lease this node may serve as primary at this moment
 * @param serving its front forwards to its PostgreSQL as primary at this moment
 * @param healthy this node can play its part
 * @param reason why not; empty when healthy
 * @param resyncs the base backups that this node gave to members since its agent started
 * @param heldBack on the leader: what a failover that is called for waits for; empty when none is held back
 * @param server the PostgreSQL server that runs on this node
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
        String clusterId,
        List<Member> members,
        @Nullable Instant lastFailover,
        boolean failoverInProgress,
        boolean lease,
        boolean serving,
        boolean healthy,
        String reason,
        Resyncs resyncs,
        String heldBack,
        ServerRun server) {
    public ClusterView {
        members = List.copyOf(members);
    }

    /** Of a node that gave no base backup, and whose server does not run. */
    public ClusterView(
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
            String clusterId,
            List<Member> members,
            @Nullable Instant lastFailover,
            boolean failoverInProgress,
            boolean lease,
            boolean serving,
            boolean healthy,
            String reason) {
        this(
                node,
                startTime,
                uptimeSeconds,
                role,
                state,
                addresses,
                raft,
                primary,
                epoch,
                timeline,
                lastLsn,
                rule,
                settings,
                membership,
                clusterId,
                members,
                lastFailover,
                failoverInProgress,
                lease,
                serving,
                healthy,
                reason,
                Resyncs.NONE,
                "",
                ServerRun.NONE);
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
        /** The data directory is being taken back to where the primary's branch left it. */
        REWINDING,
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

    /**
     * This node's place in the consensus group; {@code leader} is null while none is known, and {@code followers} are
     * there on a leader only.
     */
    public record Raft(
            RaftState state,
            long term,
            @Nullable NodeId leader,
            long commitIndex,
            long lastApplied,
            List<Follower> followers) {
        public Raft {
            followers = List.copyOf(followers);
        }

        /** Of a node that does not lead. */
        public Raft(RaftState state, long term, @Nullable NodeId leader, long commitIndex, long lastApplied) {
            this(state, term, leader, commitIndex, lastApplied, List.of());
        }

        Optional<Follower> follower(NodeId node) {
            return followers.stream().filter(f -> f.node().equals(node)).findFirst();
        }
    }

    /**
     * How far one member's Raft log is, as the leader knows it.
     *
     * @param match it has all entries up to this index on its disk
     * @param lag entries of the leader's log that it has not acknowledged
     * @param latencyMs from the last request to its answer, -1 before the first
     * @param failures requests without an answer since the last one
     */
    public record Follower(NodeId node, long match, long lag, double latencyMs, int failures) {}

    /**
     * The base backups that this node gave.
     *
     * @param attempts a member asked for one
     * @param created the server began one
     * @param successes the member got all of it
     * @param failures refused, or ended before that
     */
    public record Resyncs(long attempts, long created, long successes, long failures) {
        public static final Resyncs NONE = new Resyncs(0, 0, 0, 0);
    }

    /** What reads through a node's own SQL port show. */
    public enum Reads {
        /** None are served. */
        NONE,
        /** What the primary has, or what a standby under a leader has of it by now. */
        CURRENT,
        /** What was so when contact with the majority was lost; on a former primary also what that never had. */
        STALE
    }

    /**
     * The server of this node.
     *
     * @param pid its process, another after every start; 0 when none runs
     * @param pendingRestart settings that were changed and take effect with its next start, as last seen
     * @param reads what its clients are shown
     */
    public record ServerRun(long pid, List<String> pendingRestart, Reads reads) {
        public static final ServerRun NONE = new ServerRun(0, List.of(), Reads.NONE);

        public ServerRun {
            pendingRestart = List.copyOf(pendingRestart);
        }
    }

    /**
     * A WAL stream.
     *
     * @param roundTripMs from passing WAL on to the answer that it is written; -1 when unknown
     * @param bytesPerSecond of the last two seconds, about; -1 when unknown
     * @param errors how often it broke off since the agent started; -1 when unknown
     */
    public record Stream(double roundTripMs, long bytesPerSecond, long errors) {
        public static final Stream NONE = new Stream(-1, -1, -1);
    }

    /**
     * What a member's own configuration says of its priority and zone, and whether an operator set another by command.
     */
    public record Own(int priority, String zone, boolean prioritySet, boolean zoneSet) {}

    /**
     * One member as this node knows it.
     *
     * @param voter votes in Raft
     * @param acknowledges is in the set that the rule counts
     * @param leaving on its way out by an operator's word
     * @param maintenance not promoted by itself
     * @param generation of its data directory; it rises with every copy that is made anew
     * @param lagBytes WAL that the primary has and it has not flushed; -1 when unknown
     * @param lagMs how old that is; -1 when unknown
     * @param stream how its WAL stream from this node goes; {@link Stream#NONE} where there is none
     * @param note what is worth knowing of it, in words; mostly empty
     * @param lastHeardMs milliseconds since its last message to this node; 0 for this node, -1 when never
     * @param fenced kept away from clients and from being primary, by an operator's word
     * @param upstream from whom it streams, as far as this node knows; null for nobody, or when unknown
     * @param wishedUpstream from whom it is to stream instead of the primary; null for the primary
     * @param own what of priority and zone is its own configuration's
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
            long generation,
            long epoch,
            int timeline,
            Lsn lastLsn,
            long lagBytes,
            long lagMs,
            long lastHeardMs,
            int priority,
            String zone,
            Stream stream,
            String note,
            boolean fenced,
            @Nullable NodeId upstream,
            @Nullable NodeId wishedUpstream,
            Own own) {
        /** One of which no more is known. */
        public Member(
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
                long generation,
                long epoch,
                int timeline,
                Lsn lastLsn,
                long lagBytes,
                long lagMs,
                long lastHeardMs,
                int priority,
                String zone) {
            this(
                    id,
                    kind,
                    role,
                    state,
                    health,
                    voter,
                    acknowledges,
                    leaving,
                    maintenance,
                    addresses,
                    generation,
                    epoch,
                    timeline,
                    lastLsn,
                    lagBytes,
                    lagMs,
                    lastHeardMs,
                    priority,
                    zone,
                    Stream.NONE,
                    "",
                    false,
                    null,
                    null,
                    new Own(priority, zone, false, false));
        }

        boolean wellEnough() {
            return health == Health.HEALTHY || health == Health.LAGGING;
        }
    }

    public Optional<Member> member(NodeId id) {
        return members.stream().filter(m -> m.id().equals(id)).findFirst();
    }

    /** When this was so. */
    long wallMillis() {
        return startTime.plusSeconds(uptimeSeconds).toEpochMilli();
    }

    /** A single node without a group counts as its own leader. */
    boolean leads() {
        return raft.state() == RaftState.LEADER || (raft.state() == RaftState.NONE && node.equals(primary));
    }

    /** Everybody else, on the leader; nobody elsewhere. */
    List<Member> followers() {
        return leads() ? members.stream().filter(m -> !m.id().equals(node)).toList() : List.of();
    }

    Optional<HostPort> leaderApi() {
        NodeId leader = raft.leader();
        return leader == null
                ? Optional.empty()
                : member(leader).map(m -> m.addresses().api());
    }

    /** The member with this node id, or at this address, whichever of its ports it is. */
    Optional<Member> named(String idOrAddress) {
        return members.stream()
                .filter(m -> m.id().value().equals(idOrAddress)
                        || m.addresses().all().stream()
                                .anyMatch(a -> a.toString().equals(idOrAddress)))
                .findFirst();
    }

    /** How many members stream from this node when it is primary, 0 otherwise. */
    public int replicaCount() {
        return role != Role.PRIMARY
                ? 0
                : (int) members.stream()
                        .filter(m -> m.state() == State.STREAMING && node.equals(m.upstream()))
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

    /**
     * Whether every member is well too, so that the loss of one is survived. Only the leader hears all of them: others
     * leave out those of which they know nothing.
     */
    public boolean complete() {
        return clusterHealthy() && members.stream().allMatch(m -> m.health() == Health.HEALTHY || outOfSight(m));
    }

    /** The primary sees by their streams how those with data are, also while another leads. */
    private boolean outOfSight(Member m) {
        boolean seen = leads() || m.id().equals(node) || (node.equals(primary) && m.kind() != MemberKind.WITNESS);
        return !seen && !m.fenced() && m.state() == State.UNKNOWN && m.health() == Health.UNKNOWN;
    }
}
