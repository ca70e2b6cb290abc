package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.wal.RecordReader.Valid;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** With real servers whose segments are of one megabyte, and a record that is longer than one. */
class UnfinishedRecordTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @ParameterizedTest
    @EnumSource
    void theStreamBeginsNoLaterThanTheEndOfWholeRecords(PostgresVersion version) throws IOException {
        try (TestingPostgres primary =
                        small(version).set("wal_keep_size", "64MB").start();
                TestingPostgres standby = small(version)) {
            // Given: of the last record only what lies in its first segment has come
            standby.set("max_connections", "100").standbyOf(primary, "s").start();
            primary.query("SELECT pg_logical_emit_message(true, 'x', repeat('z', 2500000))");
            Lsn written =
                    Lsn.parse(primary.query("SELECT pg_current_wal_flush_lsn()").single());
            awaitReplayed(standby, written);
            standby.kill9();
            Path data = standby.dataDirectory();
            List<Valid> records = new ArrayList<>();
            WalReader.findEnd(data, records::add);
            Valid big = records.stream()
                    .filter(r -> r.dataEnd().minus(r.start()) > 2_500_000)
                    .findFirst()
                    .orElseThrow();
            WalLayout layout = WalLayout.of(ControlFile.read(data));
            Lsn boundary = layout.segmentStart(layout.segmentOf(big.start()) + 2);
            TestingWal.zeroFrom(data, 1, boundary);
            WalEnd torn = WalReader.findEnd(data);

            // When
            boolean removed = new UnfinishedRecord(data).remove(torn);
            WalEnd after = WalReader.findEnd(data);
            boolean again = new UnfinishedRecord(data).remove(after);
            standby.start();
            awaitReplayed(standby, written);

            // Then
            assertThat(torn.sure()).as(torn.reason()).isTrue();
            assertThat(torn.partialEnd()).isEqualTo(boundary);
            assertThat(removed).isTrue();
            assertThat(after.sure()).as(after.reason()).isTrue();
            assertThat(after.end()).isEqualTo(torn.end());
            assertThat(again).isFalse();
            assertThat(Lsn.parse(standby.query("SELECT receive_start_lsn FROM pg_stat_wal_receiver")
                            .single()))
                    .isLessThanOrEqualTo(torn.end());
        }
    }

    private static TestingPostgres small(PostgresVersion version) {
        return TestingPostgres.create(version, "--wal-segsize=1")
                .set("max_wal_size", "64MB")
                .set("autovacuum", "off")
                .set("checkpoint_timeout", "1h");
    }

    private static void awaitReplayed(TestingPostgres standby, Lsn written) {
        await("replayed up to " + written)
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> Lsn.parse(
                                standby.query("SELECT pg_last_wal_replay_lsn()").single())
                        .atLeast(written));
    }
}
