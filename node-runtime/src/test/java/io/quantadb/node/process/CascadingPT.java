package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.ExitCode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A read replica, node4, that a standby, node2, feeds: three data nodes beside it, node1 the primary. */
@Tag("process")
class CascadingPT {
    @Test
    void aReplicaFedByAStandbyFindsItsWayThroughItsDeathAndItsPromotionWithoutANewCopy() throws Exception {
        try (HandMade nodes = new HandMade(getClass())) {
            // Given
            nodes.found();
            nodes.join(2, "data");
            nodes.join(3, "data");
            nodes.awaitVoter(2);
            nodes.awaitVoter(3);
            nodes.join(4, "read_replica");
            nodes.awaitState(4, "STREAMING");
            nodes.write(1, 1);
            nodes.awaitRow(1, 4);

            // When: a voter may not be fed, a replica may
            HandMade.Ran voter = nodes.quantadb(1, "members", "set", "node3", "--upstream", "node2");
            HandMade.Ran set = nodes.quantadb(3, "members", "set", "node4", "--upstream", "node2");

            // Then
            assertThat(voter.status()).as(voter.words()).isEqualTo(ExitCode.REFUSED.status());
            assertThat(voter.words()).contains("node3 is a data node").contains("only a read replica");
            assertThat(set.status()).as(set.words()).isZero();
            awaitUpstream(nodes, "node2");
            nodes.write(2, 1);
            nodes.awaitRow(2, 4);
            String copy = nodes.of(4).path("generation").asText();

            // When its upstream dies
            nodes.kill(2);
            nodes.write(3, 1);

            // Then it goes on with the primary
            nodes.awaitRow(3, 4);
            awaitUpstream(nodes, "node1");

            // When its upstream returns
            nodes.again(2);
            nodes.awaitVoter(2);

            // Then it goes back to it
            awaitUpstream(nodes, "node2");
            nodes.write(4, 1);
            nodes.awaitRow(4, 4);

            // When the primary dies, and only the upstream may follow it
            assertThat(nodes.quantadb(1, "members", "maintenance", "node3").status())
                    .isZero();
            nodes.awaitRule("node2");
            nodes.kill(1);

            // Then it follows the new primary
            await("node2 serves")
                    .atMost(HandMade.PATIENCE)
                    .until(() -> nodes.says("primary").equals("node2")
                            && nodes.state(2).equals("ACTIVE"));
            nodes.write(5, 2, 3);
            nodes.awaitRow(5, 4);
            awaitUpstream(nodes, "node2");
            assertThat(nodes.of(4).path("generation").asText())
                    .as("no second base backup")
                    .isEqualTo(copy);
            assertThat(nodes.of(4).path("acknowledges").asBoolean()).isFalse();
        }
    }

    private static void awaitUpstream(HandMade nodes, String upstream) {
        await("node4 streams from " + upstream).atMost(HandMade.PATIENCE).untilAsserted(() -> {
            assertThat(nodes.of(4).path("upstream").asText())
                    .as("%s", nodes.of(4))
                    .isEqualTo(upstream);
            assertThat(nodes.state(4)).isEqualTo("STREAMING");
        });
    }
}
