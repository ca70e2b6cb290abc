package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A read replica, node4, whose copy takes long, and data nodes that come meanwhile. */
@Tag("process")
class ReplicaCopyPT {
    private static final String BEGINS = "member takes a base backup peer=";
    private static final String SENT = "member was sent all of its base backup peer=";

    @Test
    void aDataNodeIsCopiedBesideAReadReplicaAndAReadReplicaWaitsForADataNode() throws Exception {
        try (HandMade nodes = new HandMade(getClass())) {
            // Given
            nodes.found();
            nodes.join(4, "read_replica", Map.of("cluster.replication.rejoin_rate", "1MB"));
            awaitSaid(nodes, BEGINS + "node4");

            // When
            nodes.join(2, "data");
            nodes.awaitState(2, "STREAMING");

            // Then
            assertThat(nodes.said(1)).contains(SENT + "node2").doesNotContain(SENT + "node4");

            // When another data node is copied, and the replica comes back in the middle of it
            nodes.kill(4);
            nodes.join(3, "data", Map.of("cluster.replication.rejoin_rate", "4MB"));
            awaitSaid(nodes, BEGINS + "node3");
            nodes.again(4);

            // Then
            awaitSaid(nodes, "reason=node3 is being copied");
            assertThat(nodes.said(1)).contains("member waits for its turn to take a base backup peer=node4");
            nodes.awaitState(3, "STREAMING");
            nodes.awaitState(4, "CLONING");
        }
    }

    private static void awaitSaid(HandMade nodes, String words) {
        await(words)
                .atMost(HandMade.PATIENCE)
                .untilAsserted(() -> assertThat(nodes.said(1)).contains(words));
    }
}
