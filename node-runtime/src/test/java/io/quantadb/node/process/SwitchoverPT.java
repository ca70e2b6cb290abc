package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.testing.PostgresVersion;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The planned move of the primary: what it does to clients, and when it is given up. */
@Tag("process")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SwitchoverPT {
    private static final long BASE = 800_000_000_000L;

    private TestingThree cluster;

    @BeforeAll
    void form() {
        cluster = TestingThree.form(getClass(), PostgresVersion.V15);
    }

    @AfterAll
    void end() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @BeforeEach
    void beginWhole() {
        cluster.awaitConverged();
    }

    @Test
    void losesNothingHoweverOftenThePrimaryMovesToTheBestNode() throws Exception {
        // Given
        long epoch = cluster.view().epoch();
        try (Writes writes = Writes.steady(cluster)) {
            for (int i = 1; i <= 4; i++) {
                DemoNode old = cluster.primary();

                // When
                TestingThree.Ran ran = cluster.switchover();

                // Then
                assertThat(ran.status()).as("%s", ran).isZero();
                assertThat(cluster.awaitSuccessor(old).id()).isNotEqualTo(old.id());
                writes.awaitAcknowledgedAfter(System.nanoTime());
                assertThat(cluster.awaitConverged().epoch()).isEqualTo(epoch + i);
            }
            writes.auditEverywhere();
        }
    }

    /** Its agent is stopped, as a machine that hangs: it neither reports nor answers, and its server gets no WAL. */
    @Test
    void isGivenUpWhenTheHeirHangsAndNobodyLosesHisSession() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        DemoNode heir = other(primary);
        long epoch = cluster.view().epoch();
        try (Writes writes = Writes.steady(cluster);
                Connection idle = cluster.local(primary)) {
            insert(idle, BASE);
            TestingThree.Ran ran;
            TestingThree.signal(heir, "-STOP");
            try {
                // When
                ran = cluster.switchover("--to", heir.id().value(), "--timeout", "3s");
                writes.awaitAcknowledgedAfter(System.nanoTime());
                insert(idle, BASE + 1);
            } finally {
                TestingThree.signal(heir, "-CONT");
            }

            // Then
            assertThat(ran.status()).as("%s", ran).isIn(ExitCode.REFUSED.status(), ExitCode.ABORTED.status());
            assertThat(ran.err()).contains(heir.id().value());
            assertThat(cluster.view().epoch()).isEqualTo(epoch);
            assertThat(cluster.view().primary()).isEqualTo(primary.id().value());
            writes.auditEverywhere();
            assertThat(cluster.rows(primary, BASE, BASE + 10)).containsExactly(BASE, BASE + 1);
        }
    }

    @Test
    void letsATransactionUnderWayComeToItsEndAndEndsOneThatTakesTooLong() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        long quick = BASE + 100;
        long slow = BASE + 101;
        try (Connection shortOne = cluster.local(primary);
                Connection longOne = cluster.local(primary);
                ExecutorService background = Executors.newVirtualThreadPerTaskExecutor()) {
            longOne.setAutoCommit(false);
            insert(longOne, slow);
            CountDownLatch began = new CountDownLatch(1);
            CompletableFuture<Void> ending = CompletableFuture.runAsync(
                    () -> {
                        try (Statement statement = shortOne.createStatement()) {
                            statement.execute("BEGIN");
                            insert(shortOne, quick);
                            began.countDown();
                            // Begun before the hold, ended in it: what the drain is for.
                            statement.execute("SELECT pg_sleep(1.5)");
                            statement.execute("COMMIT");
                        } catch (SQLException e) {
                            throw new AssertionError(e);
                        }
                    },
                    background);
            assertThat(began.await(30, TimeUnit.SECONDS)).isTrue();

            // When
            TestingThree.Ran ran = cluster.switchover("--drain", "4s");

            // Then
            assertThat(ran.status()).as("%s", ran).isZero();
            ending.get(30, TimeUnit.SECONDS);
            assertThatThrownBy(longOne::commit).isInstanceOf(SQLException.class);
        }
        cluster.awaitConverged();
        assertThat(cluster.rows(cluster.primary(), quick, slow + 1)).containsExactly(quick);
    }

    @Test
    void refusesWhatCannotBeAndSaysWhy() {
        // Given
        String primary = cluster.view().primary();
        long epoch = cluster.view().epoch();

        // When
        TestingThree.Ran itself = cluster.switchover("--to", primary);
        TestingThree.Ran stranger = cluster.switchover("--to", "node9");

        // Then
        assertThat(itself.status()).isEqualTo(ExitCode.REFUSED.status());
        assertThat(itself.err()).contains(primary + " is the primary already");
        assertThat(stranger.status()).isEqualTo(ExitCode.REFUSED.status());
        assertThat(stranger.err()).contains("node9 is no member of this cluster");
        assertThat(cluster.view().epoch()).isEqualTo(epoch);
    }

    private DemoNode other(DemoNode than) {
        return cluster.nodes().stream()
                .filter(n -> !n.id().equals(than.id()))
                .findFirst()
                .orElseThrow();
    }

    private static void insert(Connection connection, long id) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("INSERT INTO %s (id) VALUES (%d)".formatted(OpenLoopWriter.TABLE, id));
        }
    }
}
