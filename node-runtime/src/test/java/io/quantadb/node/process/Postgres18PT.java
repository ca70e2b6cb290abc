package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.testing.PostgresVersion;
import org.junit.jupiter.api.Test;

/** The newest PostgreSQL, brought by Maven. */
class Postgres18PT extends FaultScenarios {
    @Override
    PostgresVersion version() {
        return PostgresVersion.V18;
    }

    @Test
    void aPrimaryThatReturnsWithWalOfItsOwnClonesWhereThereIsNoPgRewindAndSaysSo() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        long cloned = cluster.said(old, "base backup copied");
        try (Writes writes = Writes.steady(cluster)) {
            Divergence.of(cluster, old, writes);
            cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // When
            cluster.start(old);
            writes.auditEverywhere();

            // Then
            assertThat(cluster.said(old, "cannot rewind, and clones instead: there is no pg_rewind beside"))
                    .isPositive();
            assertThat(cluster.said(old, "base backup copied")).isEqualTo(cloned + 1);
            assertThat(old.folder().resolve("data").resolve("diverged-wal")).isNotEmptyDirectory();
        }
    }
}
