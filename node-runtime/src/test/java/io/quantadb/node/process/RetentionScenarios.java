package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.common.SlotNames;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresVersion;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Nothing keeps WAL here but the members' slots: {@code wal_keep_size} is 0, and the bound is four segments. */
abstract class RetentionScenarios extends OnOneCluster {
    static final String CLONED = "base backup copied";
    private static final Duration SOON = Duration.ofSeconds(20);

    private long clonesToForm;
    private long voicesLostToForm;

    abstract PostgresVersion version();

    @Override
    TestingThree formed() {
        TestingThree formed = TestingThree.form(
                getClass(),
                version(),
                Machines.LOOPBACK,
                List.of(),
                Map.of(
                        "postgres.parameters.wal_keep_size", "0",
                        "postgres.parameters.max_slot_wal_keep_size", "64MB",
                        "postgres.parameters.min_wal_size", "32MB"));
        clonesToForm =
                formed.nodes().stream().mapToLong(n -> formed.said(n, CLONED)).sum();
        voicesLostToForm = formed.nodes().stream()
                .mapToLong(n -> formed.said(n, "voice lost"))
                .sum();
        return formed;
    }

    @Test
    void formsWhereNoWalIsKeptForItsOwnSake() {
        assertThat(clonesToForm).as("one clone for each of two members").isEqualTo(2);
        assertThat(voicesLostToForm).isZero();
        for (DemoNode node : cluster.nodes()) {
            assertThat(ask(node, "SHOW wal_keep_size")).isEqualTo("0");
        }
    }

    @Test
    void clonesAStandbyAnewThatWasAwayForLongerThanWalIsKept() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        DemoNode away = standby();
        long cloned = cluster.said(away, CLONED);
        long near = cluster.said(primary, "nears max_slot_wal_keep_size");
        long gone = cluster.said(primary, "WAL is kept for a member no longer");
        try (Writes writes = Writes.steady(cluster)) {
            // When it is away for almost as long
            cluster.kill(away);
            leaveSegments(primary, 4);

            // Then people are warned before anything is lost
            awaitSaid(primary, "nears max_slot_wal_keep_size", near);
            assertThat(slot(primary, away, "wal_status")).isNotEqualTo("lost");

            // When it is away for longer
            leaveSegments(primary, 4);
            ask(primary, "CHECKPOINT");

            // Then its WAL is let go, and said
            awaitSaid(primary, "WAL is kept for a member no longer", gone);
            assertThat(slot(primary, away, "wal_status")).isEqualTo("lost");
            await("desynced").atMost(SOON).until(() -> health(away).equals("desynced"));

            // When it comes back
            cluster.start(away);

            // Then it clones by itself, and streams
            awaitSaid(away, CLONED, cloned);
            writes.auditEverywhere();
            assertThat(cluster.said(away, CLONED)).isEqualTo(cloned + 1);
            assertThat(slot(primary, away, "active AND wal_status <> 'lost'")).isEqualTo("t");
        }
    }

    DemoNode standby() {
        return cluster.nodes().stream()
                .filter(n -> !n.id().equals(cluster.primary().id()))
                .findFirst()
                .orElseThrow();
    }

    void awaitSaid(DemoNode node, String words, long before) {
        await(words).atMost(TestingThree.PATIENCE).until(() -> cluster.said(node, words) > before);
    }

    /** Ends so many segments; nothing is removed before the next checkpoint. */
    void leaveSegments(DemoNode primary, int count) {
        try (PgConnection session = cluster.behind(primary)) {
            for (int i = 0; i < count; i++) {
                session.query("SELECT pg_logical_emit_message(true, 'test', 'x')", SOON);
                session.query("SELECT pg_switch_wal()", SOON);
            }
        }
    }

    String ask(DemoNode node, String sql) {
        try (PgConnection session = cluster.behind(node)) {
            return String.valueOf(session.query(sql, SOON).singleOrNull());
        }
    }

    /** Of the slot that one node's server keeps for another. */
    String slot(DemoNode keeper, DemoNode member, String what) {
        return ask(
                keeper,
                "SELECT %s FROM pg_replication_slots WHERE slot_name = '%s'"
                        .formatted(what, SlotNames.of(member.id())));
    }

    /** Whether the server would have removed the WAL that the member needs, had it no slot. */
    boolean isKeptBySlotAlone(DemoNode keeper, DemoNode member) {
        return slot(keeper, member, "(SELECT redo_lsn FROM pg_control_checkpoint()) - restart_lsn > 16777216")
                .equals("t");
    }

    private String health(DemoNode member) {
        for (var node : cluster.view().body().path("nodes")) {
            if (node.path("id").asText().equals(member.id().value())) {
                return node.path("health").asText();
            }
        }
        return "not there";
    }
}
