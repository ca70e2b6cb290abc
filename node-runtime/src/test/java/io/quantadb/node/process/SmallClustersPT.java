package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.ExitCode;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Clusters that are not three equal nodes: two with a witness, two without, and one with read replicas. */
@Tag("process")
class SmallClustersPT {
    @Test
    void twoDataNodesAndAWitnessOutliveEitherDataNodeAndTheWitnessIsNeverPrimary() throws Exception {
        try (HandMade nodes = new HandMade(getClass())) {
            // Given
            nodes.found();
            nodes.join(2, "data");
            nodes.join(3, "witness");
            nodes.awaitVoter(2);
            nodes.awaitVoter(3);
            nodes.awaitRule("node2");
            nodes.write(1, 1, 2, 3);

            // When
            nodes.kill(1);
            awaitPrimary(nodes, "node2");
            nodes.write(2, 2, 3);
            nodes.again(1);
            nodes.awaitRule("node1");
            nodes.kill(2);
            awaitPrimary(nodes, "node1");
            nodes.write(3, 1, 3);
            nodes.again(2);
            nodes.awaitRule("node2");

            // Then
            for (int row = 1; row <= 3; row++) {
                nodes.awaitRow(row, 1);
                nodes.awaitRow(row, 2);
            }
            assertThat(nodes.of(3).path("kind").asText()).isEqualTo("WITNESS");
            assertThat(nodes.data(3).resolve("postgres").resolve("PG_VERSION")).doesNotExist();
            assertThat(nodes.said(3)).doesNotContain("postgresql started");
            assertThat(nodes.quantadb(1, "switchover", "--to", "node3").words())
                    .contains("node3 is a witness and cannot be primary");
        }
    }

    @Test
    void theWitnessIsMissedByNobodyWhileBothDataNodesAreThere() throws Exception {
        try (HandMade nodes = new HandMade(getClass())) {
            // Given
            nodes.found();
            nodes.join(2, "data");
            nodes.join(3, "witness");
            nodes.awaitVoter(3);
            nodes.awaitRule("node2");
            String epoch = nodes.says("epoch");

            // When
            nodes.kill(3);
            nodes.write(1, 1, 2);
            nodes.again(3);
            nodes.awaitVoter(3);

            // Then
            assertThat(nodes.says("primary")).isEqualTo("node1");
            assertThat(nodes.says("epoch")).isEqualTo(epoch);
            nodes.awaitRow(1, 2);
        }
    }

    @Test
    void ofTwoDataNodesWithoutAWitnessTheSecondOnlyFollowsAndItsLossStopsNothing() throws Exception {
        try (HandMade nodes = new HandMade(getClass())) {
            // Given
            nodes.found();
            nodes.join(2, "data");
            nodes.awaitState(2, "STREAMING");
            nodes.write(1, 1, 2);
            nodes.awaitRow(1, 2);
            String epoch = nodes.says("epoch");

            // When
            nodes.kill(2);
            nodes.write(2, 1);
            nodes.again(2);
            nodes.awaitRow(2, 2);
            nodes.kill(1);
            awaitSilenceOfLeader(nodes, 2);
            String meanwhile = nodes.of(2).path("role").asText();
            nodes.again(1);
            nodes.write(3, 1, 2);

            // Then
            assertThat(meanwhile).isEqualTo("REPLICA");
            assertThat(nodes.says("primary")).isEqualTo("node1");
            assertThat(nodes.says("epoch")).as("nobody took over by itself").isEqualTo(epoch);
            assertThat(nodes.of(2).path("is_voter").asBoolean()).isFalse();
            assertThat(nodes.of(2).path("acknowledges").asBoolean()).isFalse();
            nodes.awaitRow(3, 2);
        }
    }

    @Test
    void theSecondOfTwoVotesNoMoreWhenTheThirdIsGoneAndAgainWhenAnotherComes() throws Exception {
        try (HandMade nodes = new HandMade(getClass())) {
            // Given
            nodes.found();
            nodes.join(2, "data");
            nodes.join(3, "data");
            nodes.awaitVoter(2);
            nodes.awaitVoter(3);
            nodes.write(1, 1, 2, 3);

            // When
            HandMade.Ran removed = nodes.quantadb(1, "members", "remove", "node3", "--anyway");
            int ended = nodes.awaitEnd(3);
            await("node2 votes no more")
                    .atMost(HandMade.PATIENCE)
                    .untilAsserted(() ->
                            assertThat(nodes.of(2).path("is_voter").asBoolean()).isFalse());
            nodes.kill(2);
            nodes.write(2, 1);
            nodes.again(2);
            nodes.awaitRow(2, 2);

            // Then
            assertThat(removed.status()).as(removed.words()).isZero();
            assertThat(ended).isEqualTo(ExitCode.IDENTITY.status());
            assertThat(nodes.says("primary")).isEqualTo("node1");

            // And when
            nodes.join(4, "data");
            nodes.awaitVoter(2);
            nodes.awaitVoter(4);
            nodes.awaitRule("node4");
            nodes.kill(1);
            nodes.write(3, 2, 4);

            // Then
            nodes.awaitRow(1, 4);
            nodes.awaitRow(2, 4);
        }
    }

    @Test
    void readReplicasHoldTheDataAndAreCountedNowhereAndOneThatIsTakenOutHearsOfIt() throws Exception {
        try (HandMade nodes = new HandMade(getClass())) {
            // Given
            nodes.found();
            nodes.join(2, "read_replica");
            nodes.join(3, "read_replica");
            nodes.awaitState(2, "STREAMING");
            nodes.awaitState(3, "STREAMING");
            nodes.write(1, 1, 2, 3);
            nodes.awaitRow(1, 2);
            nodes.awaitRow(1, 3);
            String epoch = nodes.says("epoch");

            // When their primary dies
            nodes.kill(1);
            awaitSilenceOfLeader(nodes, 2);
            nodes.again(1);
            nodes.write(2, 1, 2, 3);

            // Then
            assertThat(nodes.says("epoch")).as("no replica stood for primary").isEqualTo(epoch);
            for (int replica : new int[] {2, 3}) {
                assertThat(nodes.of(replica).path("is_voter").asBoolean()).isFalse();
                assertThat(nodes.of(replica).path("acknowledges").asBoolean()).isFalse();
                nodes.awaitRow(2, replica);
            }
            assertThat(nodes.quantadb(1, "switchover", "--to", "node2").words())
                    .contains("node2 is a read replica and cannot be primary");

            // When one dies, and the other is taken out
            nodes.kill(2);
            nodes.write(3, 1);
            HandMade.Ran removed = nodes.quantadb(1, "members", "remove", "node3");
            int ended = nodes.awaitEnd(3);
            nodes.again(3);
            int endedAgain = nodes.awaitEnd(3);
            nodes.again(2);

            // Then
            assertThat(removed.status()).as(removed.words()).isZero();
            assertThat(ended).isEqualTo(ExitCode.IDENTITY.status());
            assertThat(endedAgain).isEqualTo(ExitCode.IDENTITY.status());
            assertThat(nodes.said(3)).contains("this node was taken out of the cluster");
            assertThat(Files.exists(nodes.data(3).resolve("postgres").resolve("PG_VERSION")))
                    .as("its data stay")
                    .isTrue();
            nodes.awaitRow(3, 2);
        }
    }

    private static void awaitPrimary(HandMade nodes, String id) {
        await("%s is primary".formatted(id))
                .atMost(HandMade.PATIENCE)
                .until(() -> nodes.says("primary").equals(id));
    }

    /** Long enough for an election, were there one. */
    private static void awaitSilenceOfLeader(HandMade nodes, int asked) {
        await("node%d misses node1".formatted(asked))
                .atMost(HandMade.PATIENCE)
                .untilAsserted(() ->
                        assertThat(nodes.of(1).path("last_heard_ms").asLong()).isGreaterThan(3_000));
    }
}
