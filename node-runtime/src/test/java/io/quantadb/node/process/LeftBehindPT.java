package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.wal.ControlFile;
import io.quantadb.node.wal.TimelineHistory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a standby finds in its {@code pg_wal} that was never finished, by a server that was killed. */
class LeftBehindPT extends OnOneCluster {
    private static final int LONGER_THAN_A_SEGMENT = 20_000_000;

    @Override
    TestingThree formed() {
        return TestingThree.form(getClass(), PostgresVersion.V15);
    }

    private String ask(DemoNode node, String sql) {
        try (PgConnection session = cluster.behind(node)) {
            return session.query(sql, Duration.ofSeconds(30)).single();
        }
    }

    private static void forgetBehind(DemoNode node, String segment) throws IOException {
        try (Stream<Path> files = Files.list(node.folder().resolve("data/postgres/pg_wal"))) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.matches("[0-9A-F]{24}") && name.compareTo(segment) > 0) {
                    Files.delete(file);
                }
            }
        }
    }

    @Test
    void whatAStandbyAcknowledgesBehindARecordThatHadOnlyBegunCounts() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        List<DemoNode> standbys = cluster.nodes().stream()
                .filter(n -> !n.id().equals(primary.id()))
                .toList();
        DemoNode torn = standbys.getFirst();
        DemoNode other = standbys.getLast();
        String segment = ask(primary, "SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
        ask(primary, "SELECT pg_logical_emit_message(true, 'x', repeat('z', %d))".formatted(LONGER_THAN_A_SEGMENT));
        String written = ask(primary, "SELECT pg_current_wal_flush_lsn()");
        await("the standby has it")
                .atMost(TestingThree.PATIENCE)
                .until(() -> ask(torn, "SELECT pg_last_wal_replay_lsn() >= '" + written + "'")
                        .equals("t"));
        cluster.kill(torn);
        forgetBehind(torn, segment);

        // When
        cluster.start(torn);
        cluster.awaitConverged();
        cluster.kill(other);

        // Then: commits wait for it alone
        try (Writes writes = Writes.steady(cluster)) {
            writes.awaitAcknowledgedAfter(System.nanoTime());
            cluster.start(other);
            writes.auditEverywhere();
        }
        assertThat(cluster.said(torn, "a record had only begun to be received when its segment ended"))
                .isEqualTo(1);
    }

    @Test
    void aStandbyWithTheHistoryOfATimelineThatWasNeverWrittenFollowsThePrimary() throws Exception {
        // Given what is left of a promotion that was killed before the first record of its timeline
        DemoNode primary = cluster.primary();
        DemoNode standby = cluster.nodes().stream()
                .filter(n -> !n.id().equals(primary.id()))
                .findFirst()
                .orElseThrow();
        long clones = cluster.said(standby, RetentionScenarios.CLONED);
        cluster.kill(standby);
        int timeline = ControlFile.read(primary.postgresData()).checkpointTimeline();
        Path stray = standby.postgresData().resolve("pg_wal").resolve(TimelineHistory.fileName(timeline + 1));
        String end = ask(primary, "SELECT pg_current_wal_flush_lsn()");
        Files.writeString(stray, "%d\t%s\tno recovery target specified\n".formatted(timeline, end));
        PosixFileAttributeView owner = Files.getFileAttributeView(stray, PosixFileAttributeView.class);
        owner.setOwner(Files.getOwner(standby.postgresData()));

        // When
        try (Writes writes = Writes.steady(cluster)) {
            cluster.start(standby);
            cluster.awaitConverged();

            // Then
            writes.auditEverywhere();
        }
        assertThat(stray).doesNotExist();
        assertThat(cluster.said(standby, "histories of timelines that this data is not on were removed"))
                .isEqualTo(1);
        assertThat(cluster.said(standby, RetentionScenarios.CLONED)).isEqualTo(clones);
    }
}
