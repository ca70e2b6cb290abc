package io.quantadb.node.runtime;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.coordinator.NodeFacts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What the other members say to a node that is to go on without them.
 *
 * @param words one line for each
 */
record SilentMembers(List<String> words) {
    /** Asks each; throws {@link Failure} when one knows a leader, or enough answer for a majority with this node. */
    static SilentMembers ask(ClusterState before, NodeFacts facts, Formation formation, Addresses own)
            throws InterruptedException {
        Greeting self = new Greeting(
                facts.node(),
                facts.incarnation(),
                "",
                facts.systemIdentifier(),
                "",
                Map.of(facts.node(), own),
                Map.of());
        List<String> words = new ArrayList<>();
        int voters = 0;
        int answering = 0;
        for (Member m : before.members().values()) {
            boolean votes = m.state() == MemberState.VOTER;
            voters += votes ? 1 : 0;
            if (m.node().equals(facts.node())) {
                answering += votes ? 1 : 0;
                continue;
            }
            Greeting answer = formation.hello(m.addresses().replication(), self);
            boolean same = answer != null
                    && answer.clusterId().equals(before.clusterId())
                    && answer.incarnation() == m.peer().incarnation();
            if (answer != null && same && !answer.leader().isEmpty()) {
                throw new Failure(
                        ExitCode.REFUSED,
                        "%s answers and knows a leader, %s: the majority is there, and nothing was changed"
                                .formatted(m.node(), answer.leader()),
                        "start this node");
            }
            answering += votes && same ? 1 : 0;
            words.add(
                    same
                            ? "%s answers at %s: stop it, or it is told to end"
                                    .formatted(m.node(), m.addresses().replication())
                            : "%s does not answer at %s"
                                    .formatted(m.node(), m.addresses().replication()));
        }
        if (voters > 1 && answering >= voters / 2 + 1) {
            throw new Failure(
                    ExitCode.REFUSED,
                    "with this node %d of %d voters are there, which is a majority; nothing was changed"
                            .formatted(answering, voters),
                    "start this node");
        }
        return new SilentMembers(List.copyOf(words));
    }
}
