package io.quantadb.operator.observer;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.operator.model.ObservedCluster.NodeReport;
import io.quantadb.operator.model.ObservedCluster.PodFacts;
import io.quantadb.operator.nodeapi.FoundingAnswer;
import io.quantadb.operator.nodeapi.NodeAddress;
import io.quantadb.operator.nodeapi.NodeApi;
import io.quantadb.operator.nodeapi.NodesAnswer;
import io.quantadb.operator.nodeapi.StatusAnswer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

class NodeSurveyTest {
    private static final PodFacts ORDERS_0 = pod("orders-0", "10.0.0.1", false);
    private static final PodFacts ORDERS_1 = pod("orders-1", "10.0.0.2", false);

    private static PodFacts pod(String name, String address, boolean deleting) {
        return new PodFacts(name, "uid", address, true, deleting, "r1", "", false, "");
    }

    private static StatusAnswer status(String membership, int members, long epoch, boolean serving) {
        return new StatusAnswer(
                new StatusAnswer.Node("n", "REPLICA", serving, serving),
                new StatusAnswer.Failover(epoch, "words"),
                new StatusAnswer.Cluster("", members, membership, members > 0 ? "uid.0123456789abcdef" : ""));
    }

    /** Answers by node; what is a failure is thrown. */
    private static final class Said implements NodeApi {
        private final Map<String, Object> answers;
        private final ConcurrentLinkedQueue<String> asked = new ConcurrentLinkedQueue<>();

        Said(Map<String, Object> answers) {
            this.answers = answers;
        }

        @Override
        public StatusAnswer status(NodeAddress node) throws IOException {
            asked.add("status " + node.node() + " at " + node.host());
            return switch (answers.get(node.node())) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case StatusAnswer answer -> answer;
                case null, default -> throw new AssertionError("nobody should ask " + node);
            };
        }

        @Override
        public NodesAnswer nodes(NodeAddress node) throws IOException {
            asked.add("nodes " + node.node());
            if (answers.get("members") instanceof IOException failure) {
                throw failure;
            }
            return new NodesAnswer(List.of(
                    new NodesAnswer.Member("orders-1", "REPLICA", "STREAMING", "healthy", true),
                    new NodesAnswer.Member("orders-0", "PRIMARY", "ACTIVE", "healthy", true)));
        }

        @Override
        public FoundingAnswer found(NodeAddress node, String uid) {
            throw new AssertionError("a survey founds nothing");
        }
    }

    private static NodeReport report(Object answer) {
        return new NodeSurvey(new Said(Map.of("orders-0", answer)))
                .ask(List.of(ORDERS_0))
                .reports()
                .get("orders-0");
    }

    private static boolean blank(Object answer) {
        return report(answer) instanceof NodeReport.Answered answered && answered.blank();
    }

    private static boolean formed(Object answer) {
        return report(answer) instanceof NodeReport.Answered answered && answered.formed();
    }

    @Test
    void onlyANodeThatSaysSoBelongsToNoCluster() {
        assertThat(blank(status("NONE", 0, 0, false))).isTrue();

        assertThat(blank(status("STARTING", 0, 0, false))).isFalse();
        assertThat(blank(status("MEMBER", 0, 0, false))).isFalse();
        assertThat(blank(status("", 0, 0, false))).isFalse();
        assertThat(blank(status("none", 0, 0, false))).isFalse();
        assertThat(blank(status("NONE", 3, 1, false))).isFalse();
        assertThat(blank(new IOException("NONE"))).isFalse();
        assertThat(blank(new IllegalStateException("NONE"))).isFalse();
    }

    @Test
    void aNodeKnowsItsClusterOnceItKnowsMembers() {
        assertThat(formed(status("MEMBER", 3, 1, false))).isTrue();
        assertThat(formed(status("", 3, 1, false))).as("an older node's answer").isTrue();

        assertThat(formed(status("MEMBER", 0, 1, false))).isFalse();
        assertThat(formed(status("STARTING", 0, 0, false))).isFalse();
        assertThat(formed(status("NONE", 0, 0, false))).isFalse();
    }

    @Test
    void tellsWhichClusterANodeBelongsTo() {
        assertThat(report(status("MEMBER", 3, 1, false)))
                .isInstanceOfSatisfying(
                        NodeReport.Answered.class,
                        answered -> assertThat(answered.clusterId()).isEqualTo("uid.0123456789abcdef"));
    }

    @Test
    void aNodeThatCannotBeAskedIsSilentAndSaysWhy() {
        assertThat(report(new IOException("no answer within 2000 ms")))
                .isEqualTo(new NodeReport.Silent("no answer within 2000 ms"));
        assertThat(report(new IllegalStateException("odd"))).isInstanceOf(NodeReport.Silent.class);
    }

    @Test
    void asksNobodyWithoutAnAddressOrOnItsWayOut() {
        var said = new Said(Map.of("orders-0", status("MEMBER", 3, 1, false)));
        var result = new NodeSurvey(said)
                .ask(List.of(ORDERS_0, pod("orders-1", "", false), pod("orders-2", "10.0.0.3", true)));
        assertThat(result.reports()).containsOnlyKeys("orders-0");
        assertThat(said.asked).containsExactly("status orders-0 at 10.0.0.1", "nodes orders-0");
    }

    @Test
    void asksTheBestInformedNodeForTheMembers() {
        var said =
                new Said(Map.of("orders-0", status("MEMBER", 3, 1, true), "orders-1", status("MEMBER", 3, 2, false)));
        var result = new NodeSurvey(said).ask(List.of(ORDERS_0, ORDERS_1));
        assertThat(said.asked).contains("nodes orders-1").doesNotContain("nodes orders-0");
        assertThat(result.members()).extracting("name").containsExactly("orders-0", "orders-1");
    }

    @Test
    void goesOnWithoutTheMembersWhenNobodyTellsThem() {
        var said = new Said(Map.of("orders-0", status("MEMBER", 3, 1, true), "members", new IOException("gone")));
        var result = new NodeSurvey(said).ask(List.of(ORDERS_0));
        assertThat(result.members()).isEmpty();
        assertThat(result.reports()).containsOnlyKeys("orders-0");
    }
}
