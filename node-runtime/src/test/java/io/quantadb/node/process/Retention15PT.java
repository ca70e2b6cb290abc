package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.testing.PostgresVersion;
import org.junit.jupiter.api.Test;

/** Members that were away for shorter than WAL is kept, as well. */
class Retention15PT extends RetentionScenarios {
    @Override
    PostgresVersion version() {
        return PostgresVersion.V15;
    }

    @Test
    void aStandbyThatWasAwayForShorterCatchesUpWithoutAClone() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        DemoNode away = standby();
        long cloned = cluster.said(away, CLONED);
        try (Writes writes = Writes.steady(cluster)) {
            // When
            cluster.kill(away);
            leaveSegments(primary, 2);
            ask(primary, "CHECKPOINT");
            assertThat(isKeptBySlotAlone(primary, away)).isTrue();
            cluster.start(away);

            // Then
            writes.auditEverywhere();
            assertThat(cluster.said(away, CLONED)).isEqualTo(cloned);
        }
    }

    @Test
    void aStandbyThatWasAwayThroughAFailoverCatchesUpWithoutAClone() throws Exception {
        // Given a standby that is away, and the other one, which keeps WAL for it as the primary does
        DemoNode old = cluster.primary();
        DemoNode away = standby();
        DemoNode heir = cluster.nodes().stream()
                .filter(n -> !n.id().equals(old.id()) && !n.id().equals(away.id()))
                .findFirst()
                .orElseThrow();
        long cloned = cluster.said(away, CLONED);
        try (Writes writes = Writes.steady(cluster)) {
            cluster.kill(away);
            leaveSegments(old, 2);
            ask(old, "CHECKPOINT");
            String end = ask(old, "SELECT redo_lsn FROM pg_control_checkpoint()");
            await("the heir has it")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> ask(heir, "SELECT pg_last_wal_replay_lsn() > '" + end + "'")
                            .equals("t"));
            ask(heir, "CHECKPOINT");
            assertThat(isKeptBySlotAlone(heir, away)).isTrue();

            // When the primary dies
            cluster.kill(old);
            cluster.start(away);
            DemoNode successor = cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            cluster.start(old);

            // Then
            writes.auditEverywhere();
            assertThat(successor.id()).isEqualTo(heir.id());
            assertThat(cluster.said(away, CLONED)).isEqualTo(cloned);
        }
    }
}
