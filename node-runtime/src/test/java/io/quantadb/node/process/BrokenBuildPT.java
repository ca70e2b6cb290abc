package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.bench.BrokenNode;
import io.quantadb.node.bench.HeldStreams;
import io.quantadb.node.bench.HistoryChecker;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.testing.PostgresVersion;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Shows that these tests can fail: with a voice that waits for nobody, the same fault that the shipped build survives
 * loses acknowledged rows, and the checker says so.
 */
@Tag("process")
class BrokenBuildPT {
    @Test
    void aVoiceThatWaitsForNobodyLosesRowsAndTheShippedOneDoesNot() throws Exception {
        try (TestingThree broken =
                TestingThree.form(getClass(), PostgresVersion.V15, Machines.LOOPBACK, brokenAgent(), Map.of())) {
            assertThat(strike(broken, true).lost()).isNotEmpty();
        }
        try (TestingThree shipped = TestingThree.form(getClass(), PostgresVersion.V15)) {
            assertThat(strike(shipped, false).clean()).isTrue();
        }
    }

    /** Kills the primary while its WAL reaches nobody; returns what its successor has. */
    private static HistoryChecker.Verdict strike(TestingThree cluster, boolean acknowledgesAlone) throws Exception {
        // Given
        DemoNode old = cluster.primary();
        try (Writes writes = Writes.steady(cluster)) {
            try (HeldStreams held = cluster.holdStreams(old)) {
                long heldAt = System.nanoTime();
                if (acknowledgesAlone) {
                    writes.awaitAcknowledgedAfter(heldAt);
                } else {
                    // All its sessions wait now, and none is answered.
                    await("writes wait").atMost(TestingThree.PATIENCE).until(() -> waiting(cluster, old) >= 3);
                    assertThat(writes.acknowledgedSince(heldAt)).isZero();
                }

                // When
                cluster.kill(old);
                assertThat(held).isNotNull();
            }
            DemoNode successor = cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            return writes.verdictOf(successor);
        }
    }

    private static long waiting(TestingThree cluster, DemoNode primary) {
        try (var behind = cluster.behind(primary)) {
            return Long.parseLong(behind.query(
                            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
                            java.time.Duration.ofSeconds(10))
                    .single());
        }
    }

    private static List<String> brokenAgent() {
        return List.of(
                "env",
                "BROKEN=" + BrokenNode.UNGATED_VOICE,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                BrokenNode.class.getName());
    }
}
