package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import io.quantadb.node.testing.PostgresVersion;
import org.junit.jupiter.api.Test;

/** What every supported PostgreSQL must live through, on one cluster of three. */
abstract class FaultScenarios extends OnOneCluster {
    abstract PostgresVersion version();

    @Override
    TestingThree formed() {
        return TestingThree.form(getClass(), version());
    }

    @Test
    void losesNothingWhenThePrimarysNodeDies() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        long epoch = cluster.view().epoch();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            cluster.kill(old);
            DemoNode successor = cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            cluster.start(old);

            // Then
            writes.auditEverywhere();
            assertThat(successor.id()).isNotEqualTo(old.id());
            assertThat(cluster.view().epoch()).isGreaterThan(epoch);
        }
    }

    @Test
    void handsOverWhenThePrimarysNodeIsToldToStop() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        long epoch = cluster.view().epoch();
        long cleanStops = cluster.said(old, "database system is shut down");
        long told = toldOfAHandOver(old);
        try (Writes writes = Writes.steady(cluster)) {
            // When
            int status = cluster.stop(old);

            // Then
            assertThat(status).isZero();
            assertThat(cluster.said(old, "database system is shut down")).isEqualTo(cleanStops + 1);
            assertThat(toldOfAHandOver(old)).isEqualTo(told + 1);
            assertThat(NodeProcesses.postgresTree(old.postgresData())).isEmpty();
            DemoNode successor = cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            cluster.start(old);
            writes.auditEverywhere();
            assertThat(successor.id()).isNotEqualTo(old.id());
            assertThat(cluster.view().epoch()).isGreaterThan(epoch);
        }
    }

    /** Either is an orderly end: on a machine that is slow enough the others finish what the node began. */
    private long toldOfAHandOver(DemoNode node) {
        return cluster.said(node, "handed over") + cluster.said(node, "nobody took over in time");
    }

    @Test
    void movesThePrimaryInOrderAndTheOldOneStreamsOnWithoutAClone() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        DemoNode heir = cluster.nodes().stream()
                .filter(n -> !n.id().equals(old.id()))
                .findFirst()
                .orElseThrow();
        long epoch = cluster.view().epoch();
        long cloned = cluster.nodes().stream()
                .mapToLong(n -> cluster.said(n, "base backup copied"))
                .sum();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            TestingThree.Ran ran = cluster.switchover("--to", heir.id().value());

            // Then
            assertThat(ran.err()).isEmpty();
            assertThat(ran.status()).isZero();
            assertThat(ran.out())
                    .contains("preparing")
                    .containsPattern("(?m)^%s +%s +%d +\\d+ ms +\\d+ ms$".formatted(old.id(), heir.id(), epoch + 1))
                    .containsPattern(
                            "(?m)^steps, in ms: prepare \\d+, hold \\d+, stop \\d+, freeze \\d+, .*open \\d+$");
            writes.awaitAcknowledgedAfter(System.nanoTime());
            writes.auditEverywhere();
            assertThat(cluster.view().primary()).isEqualTo(heir.id().value());
            assertThat(cluster.view().epoch()).isEqualTo(epoch + 1);
            assertThat(cluster.nodes().stream()
                            .mapToLong(n -> cluster.said(n, "base backup copied"))
                            .sum())
                    .as("the old primary streams on from where it stopped")
                    .isEqualTo(cloned);
        }
    }

    @Test
    void losesNothingWhenOnlyThePostmasterDies() throws Exception {
        killPostgres(false);
    }

    void killPostgres(boolean wholeTree) throws Exception {
        // Given
        DemoNode old = cluster.primary();
        ProcessMark agent = TestingThree.agent(old);
        try (Writes writes = Writes.steady(cluster)) {
            var tree = NodeProcesses.postgresTree(old.postgresData());
            assertThat(tree).isNotEmpty();

            // When
            (wholeTree ? tree : tree.subList(0, 1)).forEach(ProcessMark::kill);
            long at = System.nanoTime();
            writes.awaitAcknowledgedAfter(at);

            // Then
            writes.auditEverywhere();
            assertThat(agent.isAlive()).as("the agent lives on").isTrue();
        }
    }

    @Test
    void hasAllRowsAfterARestartOfEverything() throws Exception {
        // Given
        ClusterClient.View before = cluster.view();
        long timelineBefore = before.body().path("timeline").asLong();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            cluster.nodes().forEach(cluster::kill);
            cluster.nodes().forEach(cluster::start);
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            writes.auditEverywhere();
            ClusterClient.View after = cluster.awaitConverged();
            long timelineAfter = after.body().path("timeline").asLong();
            assertThat(after.epoch()).isGreaterThanOrEqualTo(before.epoch());
            assertThat(timelineAfter).isGreaterThanOrEqualTo(timelineBefore);
            if (after.epoch() == before.epoch()) {
                assertThat(timelineAfter).as("a timeline belongs to one epoch").isEqualTo(timelineBefore);
                assertThat(after.primary()).isEqualTo(before.primary());
            }
            if (!after.primary().equals(before.primary())) {
                assertThat(timelineAfter)
                        .as("another primary has a timeline of its own")
                        .isGreaterThan(timelineBefore);
            }
        }
    }
}
