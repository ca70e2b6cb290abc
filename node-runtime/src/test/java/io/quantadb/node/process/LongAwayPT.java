package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A member that was away while others came. */
@Tag("process")
class LongAwayPT {
    /**
     * Its log knows neither that the leader is a member nor where it is, and the leader must hear its answers. Passes without
     * dialling back too: what that alone does is in NettyPeerNetworkTest.
     */
    @Test
    void catchesUpUnderALeaderThatItHasNeverHeardOf() throws Exception {
        try (HandMade nodes = new HandMade(getClass())) {
            // Given
            nodes.found();
            nodes.join(2, "data");
            nodes.join(3, "data");
            nodes.awaitVoter(2);
            nodes.awaitVoter(3);
            nodes.kill(2);
            nodes.join(4, "data");
            nodes.awaitVoter(4);
            nodes.awaitRule("node4");
            HandMade.Ran moved = nodes.quantadb(1, "switchover", "--to", "node4");
            assertThat(moved.status()).as(moved.words()).isZero();
            await("leadership follows")
                    .atMost(HandMade.PATIENCE)
                    .until(() -> nodes.says("leader").equals("node4"));
            nodes.write(1, 1, 3, 4);

            // When
            nodes.again(2);

            // Then
            nodes.awaitState(2, "STREAMING");
            nodes.awaitRow(1, 2);
            assertThat(nodes.says("leader")).isEqualTo("node4");
        }
    }
}
