package io.quantadb.node.api;

import io.quantadb.node.api.ClusterView.Follower;
import io.quantadb.node.api.ClusterView.Health;
import io.quantadb.node.api.ClusterView.Member;
import io.quantadb.node.api.ClusterView.Membership;
import io.quantadb.node.api.ClusterView.Raft;
import io.quantadb.node.api.ClusterView.RaftState;
import io.quantadb.node.api.ClusterView.Resyncs;
import io.quantadb.node.api.ClusterView.Role;
import io.quantadb.node.api.ClusterView.State;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.time.Instant;
import java.util.List;

/** Views of a cluster of three, for tests of everything that shows one. */
public final class TestingViews {
    public static final NodeId NODE1 = new NodeId("node1");
    public static final NodeId NODE2 = new NodeId("node2");
    public static final NodeId NODE3 = new NodeId("node3");
    private static final String CLUSTER = "9d4f6c1e2b7a8035";
    private static final Instant START = Instant.parse("2024-01-26T10:00:00Z");

    private TestingViews() {}

    /** node1 is primary and leads, before any failover. */
    public static ClusterView primary() {
        return new ClusterView(
                NODE1,
                START,
                3600,
                Role.PRIMARY,
                State.ACTIVE,
                addresses(0),
                new Raft(
                        RaftState.LEADER,
                        1,
                        NODE1,
                        12,
                        12,
                        List.of(new Follower(NODE2, 12, 0, 0.84, 0), new Follower(NODE3, 9, 3, 40.06, 2))),
                NODE1,
                1,
                1,
                new Lsn(12345),
                "ANY 1 of (node2, node3)",
                Settings.DEFAULT,
                Membership.MEMBER,
                CLUSTER,
                List.of(
                        member(NODE1, 0, Role.PRIMARY, State.ACTIVE, Health.HEALTHY, 12345, 0, 0),
                        member(NODE2, 1, Role.REPLICA, State.STREAMING, Health.HEALTHY, 12345, 0, 31),
                        member(NODE3, 2, Role.REPLICA, State.STREAMING, Health.LAGGING, 12000, 1250, 17)),
                null,
                false,
                true,
                true,
                true,
                "",
                new Resyncs(3, 2, 2, 1),
                "",
                new ClusterView.ServerRun(4711, List.of("max_connections"), ClusterView.Reads.CURRENT));
    }

    /** node2 follows node3, which took over from node1; of node1 it hears nothing any more. */
    public static ClusterView replica() {
        return new ClusterView(
                NODE2,
                START,
                3605,
                Role.REPLICA,
                State.STREAMING,
                addresses(1),
                new Raft(RaftState.FOLLOWER, 4, NODE3, 40, 39),
                NODE3,
                2,
                2,
                new Lsn(0x16_B374D848L),
                "ANY 1 of (node2)",
                Settings.DEFAULT,
                Membership.MEMBER,
                CLUSTER,
                List.of(
                        member(NODE1, 0, Role.UNKNOWN, State.UNKNOWN, Health.UNKNOWN, 0, -1, 9000),
                        member(NODE2, 1, Role.REPLICA, State.STREAMING, Health.HEALTHY, 0x16_B374D848L, 0, 0),
                        member(NODE3, 2, Role.PRIMARY, State.ACTIVE, Health.HEALTHY, 0x16_B374D848L, 0, 12)),
                Instant.parse("2024-01-26T10:59:50.123456Z"),
                false,
                false,
                false,
                true,
                "");
    }

    /** The same before this node's stream is up: it can tell of no member but the primary. */
    static ClusterView withUnknownSelf(ClusterView v) {
        return with(v, member(NODE2, 1, Role.REPLICA, State.CONNECTING, Health.UNKNOWN, 12345, -1, 0));
    }

    /** The same with this one in place of its own of that member. */
    static ClusterView with(ClusterView v, Member other) {
        List<Member> members = v.members().stream()
                .map(m -> m.id().equals(other.id()) ? other : m)
                .toList();
        return with(v, v.raft(), members);
    }

    /** The same while that node leads. */
    static ClusterView ledBy(ClusterView v, NodeId leader) {
        RaftState state = v.node().equals(leader) ? RaftState.LEADER : RaftState.FOLLOWER;
        return with(v, new Raft(state, 4, leader, 40, 39), v.members());
    }

    private static ClusterView with(ClusterView v, Raft raft, List<Member> members) {
        return new ClusterView(
                v.node(),
                v.startTime(),
                v.uptimeSeconds(),
                v.role(),
                v.state(),
                v.addresses(),
                raft,
                v.primary(),
                v.epoch(),
                v.timeline(),
                v.lastLsn(),
                v.rule(),
                v.settings(),
                v.membership(),
                v.clusterId(),
                members,
                v.lastFailover(),
                v.failoverInProgress(),
                v.lease(),
                v.serving(),
                v.healthy(),
                v.reason());
    }

    /** node2 hears nobody. */
    public static ClusterView noLeader() {
        return new ClusterView(
                NODE2,
                START,
                3700,
                Role.STANDBY,
                State.CONNECTING,
                addresses(1),
                new Raft(RaftState.CANDIDATE, 7, null, 40, 40),
                NODE1,
                1,
                1,
                new Lsn(12345),
                "ANY 1 of (node2, node3)",
                Settings.DEFAULT,
                Membership.MEMBER,
                CLUSTER,
                List.of(
                        member(NODE1, 0, Role.UNKNOWN, State.DOWN, Health.UNKNOWN, 0, -1, 4000),
                        member(NODE2, 1, Role.STANDBY, State.CONNECTING, Health.UNKNOWN, 12345, -1, 0),
                        member(NODE3, 2, Role.UNKNOWN, State.DOWN, Health.UNKNOWN, 0, -1, -1)),
                null,
                false,
                false,
                false,
                false,
                "no leader is known");
    }

    /** node2's disk belongs to no cluster, and nobody has let it into one yet. */
    public static ClusterView blank() {
        return knowingNobody(Membership.NONE, "not in a cluster yet");
    }

    /** node2 belongs to a cluster and just starts: it knows no members yet. */
    public static ClusterView starting() {
        return knowingNobody(Membership.STARTING, "starting");
    }

    private static ClusterView knowingNobody(Membership membership, String reason) {
        return new ClusterView(
                NODE2,
                START,
                2,
                Role.STANDBY,
                State.STARTING,
                addresses(1),
                new Raft(RaftState.NONE, 0, null, 0, 0),
                null,
                0,
                0,
                Lsn.NONE,
                "",
                null,
                membership,
                membership == Membership.NONE ? "" : CLUSTER,
                List.of(),
                null,
                false,
                false,
                false,
                false,
                reason);
    }

    static Member member(
            NodeId id, int offset, Role role, State state, Health health, long lsn, long lagMs, long heard) {
        return new Member(
                id,
                MemberKind.DATA,
                role,
                state,
                health,
                true,
                role == Role.REPLICA,
                false,
                false,
                addresses(offset),
                1,
                lsn == 0 ? 0 : 1,
                lsn == 0 ? 0 : 1,
                new Lsn(lsn),
                lagMs < 0 ? -1 : 12345 - Math.min(lsn, 12345),
                lagMs,
                heard,
                100,
                "",
                ClusterView.Stream.NONE,
                "",
                false,
                role == Role.REPLICA && state == State.STREAMING ? NODE1 : null,
                null,
                new ClusterView.Own(100, "", false, false));
    }

    private static Addresses addresses(int offset) {
        return new Addresses(
                at(5432 + offset), at(6432 + offset), at(7432 + offset), at(8432 + offset), at(9432 + offset));
    }

    private static HostPort at(int port) {
        return new HostPort("localhost", port);
    }
}
