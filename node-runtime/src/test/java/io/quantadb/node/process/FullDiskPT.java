package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresVersion;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Nodes whose disks are small: one for what the agent keeps (Raft's log, its identity), one for PostgreSQL's data. */
@Tag("process")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FullDiskPT {
    private static final String FULL = "No space left on device";
    private static final String STARTED = "postgresql is ready";
    private static final String TRIED = "no stream from the upstream";
    /** Until the relay lets a receiver that keeps ending wait, by both of its counts. */
    private static final int QUICK_TRIES = 24;

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(500);
    /** Two segments of the Raft log, and what else the agent keeps. */
    private static final int AGENT_MB = 4;

    private static final int POSTGRES_MB = 320;

    private final List<SmallDisk> ofAgents = new ArrayList<>();
    private final List<SmallDisk> ofPostgres = new ArrayList<>();
    private TestingThree cluster;

    @BeforeEach
    void beginWhole() {
        String missing = SmallDisk.missing();
        Assumptions.assumeTrue(missing.isEmpty(), missing);
        if (cluster == null) {
            form();
        }
        cluster.awaitConverged();
    }

    @AfterEach
    void makeRoom() throws IOException {
        for (SmallDisk disk : ofAgents) {
            disk.free();
        }
        for (SmallDisk disk : ofPostgres) {
            disk.free();
        }
    }

    private void form() {
        cluster = TestingThree.form(
                getClass(),
                PostgresVersion.V15,
                Machines.LOOPBACK,
                List.of(),
                Map.of(
                        "cluster.raft.max_log_entries", "10",
                        "postgres.parameters.min_wal_size", "32MB",
                        "postgres.parameters.max_wal_size", "64MB",
                        "postgres.parameters.wal_keep_size", "0"),
                data -> {
                    ofPostgres.add(SmallDisk.over(data, POSTGRES_MB));
                    ofAgents.add(SmallDisk.over(data.resolve("cluster"), AGENT_MB));
                });
    }

    @AfterAll
    void end() {
        // While they are mounted the folder of the cluster cannot be removed.
        ofAgents.forEach(SmallDisk::close);
        ofPostgres.forEach(SmallDisk::close);
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void aNodeWhoseRaftDiskIsFullEndsWithWordsAndComesBackOnceThereIsRoom() throws Exception {
        // Given
        DemoNode full = standby();
        SmallDisk disk = ofAgents.get(cluster.indexOf(full));
        try (Writes writes = Writes.steady(cluster)) {
            disk.fill();

            // When the log grows, by a failover and another
            for (int i = 0; i < 10 && !cluster.hasEnded(full); i++) {
                failOver(full);
            }

            // Then it ends by itself and leaves nothing running
            assertThat(cluster.awaitEnd(full)).isEqualTo(ExitCode.DATA_DIRECTORY.status());
            assertThat(cluster.said(full, FULL + "; see that the disk is healthy, has room"))
                    .isPositive();
            assertThat(NodeProcesses.postgresTree(full.postgresData())).isEmpty();

            // And the others go on
            writes.awaitAcknowledgedAfter(System.nanoTime());
            assertThat(cluster.view().primary()).isNotEqualTo(full.id().value());

            // When there is room again, and whoever looks after it starts it
            disk.free();
            cluster.start(full);

            // Then it is a member as before
            writes.auditEverywhere();
        } finally {
            disk.free();
        }
    }

    @Test
    void aPrimaryWhoseDataDiskIsFullIsReplacedAndComesBackOnceThereIsRoom() throws Exception {
        // Given
        DemoNode full = cluster.primary();
        SmallDisk disk = ofPostgres.get(cluster.indexOf(full));
        try (Writes writes = Writes.steady(cluster)) {
            // When there is no room for its next WAL
            disk.fill();
            useUpWal(full);
            DemoNode successor = cluster.awaitSuccessor(full);

            // Then the others go on, and it says what is the matter, whatever room it makes by itself being used up
            writes.awaitAcknowledgedAfter(System.nanoTime());
            await("its words").atMost(TestingThree.PATIENCE).pollInterval(POLL).until(() -> {
                disk.fill();
                return leaveSegment(successor) && saysThatTheDiskIsFull(full);
            });
            assertThat(TestingThree.agent(full).isAlive()).isTrue();

            // When there is room again
            disk.free();

            // Then it comes back by itself
            writes.auditEverywhere();
        } finally {
            disk.free();
        }
    }

    @Test
    void aStandbyWhoseDataDiskIsFullDelaysNobodyAndCatchesUpOnceThereIsRoom() throws Exception {
        // Given
        DemoNode full = standby();
        SmallDisk disk = ofPostgres.get(cluster.indexOf(full));
        long cloned = cluster.said(full, RetentionScenarios.CLONED);
        long said = cluster.said(full, FULL);
        long starts = cluster.said(full, STARTED);
        long tries = cluster.said(full, TRIED);
        try (Writes writes = Writes.steady(cluster)) {
            // When there is no room for the WAL that comes
            long beganNanos = System.nanoTime();
            disk.fill();
            useUpWal(cluster.primary(), 4);
            await("its words").atMost(TestingThree.PATIENCE).until(() -> cluster.said(full, FULL) > said);
            await("more of them").atMost(TestingThree.PATIENCE).until(() -> cluster.said(full, FULL) > said + 8);

            // Then it tries on in peace, some times after each start and then once a second, and the others go on
            long tried = cluster.said(full, TRIED) - tries;
            long seconds = Duration.ofNanos(System.nanoTime() - beganNanos).toSeconds();
            assertThat(tried)
                    .isLessThanOrEqualTo((cluster.said(full, STARTED) - starts + 1) * QUICK_TRIES + seconds + 1);
            await("its reason").atMost(SOON).until(() -> saysThatTheDiskIsFull(full));
            writes.awaitAcknowledgedAfter(System.nanoTime());
            assertThat(TestingThree.agent(full).isAlive()).isTrue();

            // When there is room again
            disk.free();

            // Then it comes back by itself, and goes on where it was
            writes.auditEverywhere();
            assertThat(cluster.said(full, RetentionScenarios.CLONED)).isEqualTo(cloned);
        } finally {
            // Or the next scenario fails for this one.
            disk.free();
        }
    }

    private DemoNode standby() {
        return cluster.nodes().stream()
                .filter(n -> !n.id().equals(cluster.primary().id()))
                .findFirst()
                .orElseThrow();
    }

    /** Kills the primary's PostgreSQL; returns when all is well again, or the node of the full disk has ended. */
    private void failOver(DemoNode full) {
        DemoNode old = cluster.primary();
        NodeProcesses.postgresTree(old.postgresData()).forEach(ProcessMark::kill);
        await("another primary, or an end")
                .atMost(TestingThree.PATIENCE)
                .until(() ->
                        cluster.hasEnded(full) || (!primary().equals(old.id().value()) && isWhole()));
    }

    private String primary() {
        return cluster.view().primary();
    }

    private boolean isWhole() {
        ClusterClient.View view = cluster.view();
        int well = 0;
        for (var node : view.body().path("nodes")) {
            well += node.path("health").asText().equals("healthy") ? 1 : 0;
        }
        return well == cluster.nodes().size()
                && !view.body().path("failover_in_progress").asBoolean();
    }

    /** Goes through segments until there is no more. */
    private void useUpWal(DemoNode primary) {
        await("the server has no room")
                .atMost(TestingThree.PATIENCE)
                .until(() -> NodeProcesses.postgresTree(primary.postgresData()).isEmpty() || !leaveSegment(primary));
    }

    private void useUpWal(DemoNode primary, int segments) {
        for (int i = 0; i < segments; i++) {
            assertThat(leaveSegment(primary)).isTrue();
        }
    }

    private boolean leaveSegment(DemoNode primary) {
        try (PgConnection session = cluster.behind(primary)) {
            session.query("SELECT pg_logical_emit_message(true, 'test', 'x')", SOON);
            session.query("SELECT pg_switch_wal()", SOON);
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }

    /** Whether the node says so when it is asked why it is not well. */
    private static boolean saysThatTheDiskIsFull(DemoNode node) {
        String reason = new ClusterClient(null)
                .get(node.api(), "/cluster/status")
                .map(status -> status.path("failover").path("reason").asText())
                .orElse("no answer");
        return reason.contains(FULL) || reason.contains("the disk is full");
    }
}
