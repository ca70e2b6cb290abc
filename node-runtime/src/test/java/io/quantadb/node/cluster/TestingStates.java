package io.quantadb.node.cluster;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** A cluster of three data voters, n1 primary of epoch 1 on timeline 1, n2 and n3 in the rule. */
final class TestingStates {
    static final NodeId N1 = new NodeId("n1");
    static final NodeId N2 = new NodeId("n2");
    static final NodeId N3 = new NodeId("n3");

    private static final Transitions TRANSITIONS = new Transitions(new ProtocolRules());

    private TestingStates() {}

    static PeerId peer(NodeId node) {
        return new PeerId(node, 11);
    }

    static Member member(NodeId node) {
        HostPort at = new HostPort("127.0.0.1", 1);
        return new Member(
                peer(node), 1, MemberKind.DATA, MemberState.VOTER, new Addresses(at, at, at, at, at), "", 100, false);
    }

    static ClusterState three() {
        ClusterState s = after(ClusterState.EMPTY, new Command.Bootstrap("c", 1, 1, member(N1), 1, Settings.DEFAULT));
        s = after(s, new Command.AddMember(member(N2)));
        s = after(s, new Command.AddMember(member(N3)));
        s = after(s, new Command.Joint(Command.Condition.of(s), rule(1, N2, N3)));
        return after(s, new Command.Finish(Command.Condition.of(s)));
    }

    /** What a command makes of it; the state itself where it is refused. */
    static ClusterState after(ClusterState s, Command command) {
        return TRANSITIONS.apply(s, command).state();
    }

    static Rule rule(int k, NodeId... nodes) {
        SortedSet<MemberRef> set = new TreeSet<>();
        List.of(nodes).forEach(node -> set.add(new MemberRef(node, 1)));
        return new Rule(set, k);
    }
}
