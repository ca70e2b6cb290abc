package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.bench.HeldStreams;
import io.quantadb.node.bench.HistoryChecker;
import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresVersion;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/**
 * Commits that only the primary has. Its streams are held, so that whatever is shown of them now would be lost with the
 * node: a commit that waits, one whose wait somebody cancelled, and what others read of it.
 */
class CommitSafetyPT extends OnOneCluster {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final long BASE = 900_000_000_000L;

    private long nextId = BASE;

    @Override
    TestingThree formed() {
        return TestingThree.form(getClass(), PostgresVersion.V15);
    }

    @Test
    void showsNothingOfCancelledCommitsThatAFailoverUndoes() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        List<Waiting> all = new ArrayList<>();
        CompletableFuture<List<Long>> read;
        try (HeldStreams held = cluster.holdStreams(old);
                PgConnection behind = cluster.behind(old);
                Connection reader = cluster.local(old)) {
            cancelInEveryWay(old, behind, all);
            long cancelled = all.get(2).id;

            // When
            read = inBackground(() -> ids(reader));
            assertThat(ids(behind)).as("committed on the primary alone").contains(cancelled);
            for (Waiting waiting : all) {
                assertThat(waiting.acknowledged()).as(waiting.how).isFalse();
            }
            assertThat(read.isDone() && !read.isCompletedExceptionally())
                    .as("a reader has seen it")
                    .isFalse();
            cluster.kill(old);
            assertThat(held).isNotNull();
        }
        DemoNode successor = cluster.awaitSuccessor(old);
        cluster.start(old);
        cluster.awaitConverged();

        // Then
        List<Long> there = cluster.rows(successor, BASE, BASE + 1_000_000);
        for (Waiting waiting : all) {
            assertThat(there).as("not replicated: %s", waiting.how).doesNotContain(waiting.id);
            assertThatThrownBy(() -> waiting.answer.get(60, TimeUnit.SECONDS))
                    .as(waiting.how)
                    .isInstanceOf(ExecutionException.class);
            waiting.close();
        }
        assertThatThrownBy(() -> read.get(60, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
    }

    @Test
    void whatIsShownOfCancelledCommitsIsOnEveryNodeOnceTheStandbysHaveIt() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        List<Waiting> all = new ArrayList<>();
        CompletableFuture<List<Long>> read;
        try (PgConnection behind = cluster.behind(primary);
                Connection reader = cluster.local(primary)) {
            try (HeldStreams held = cluster.holdStreams(primary)) {
                cancelInEveryWay(primary, behind, all);
                read = inBackground(() -> ids(reader));

                // When
                assertThat(held).isNotNull();
            }
            for (Waiting waiting : all) {
                await(waiting.how).atMost(TestingThree.PATIENCE).until(waiting.answer::isDone);
            }
            await("the reader's answer").atMost(TestingThree.PATIENCE).until(read::isDone);
        }

        // Then
        cluster.awaitConverged();
        List<Long> shown = new ArrayList<>();
        all.stream().filter(Waiting::acknowledged).forEach(w -> shown.add(w.id));
        if (!read.isCompletedExceptionally()) {
            shown.addAll(read.get());
        }
        assertThat(shown).as("a wait that nobody could cancel ended well").contains(all.get(0).id, all.get(1).id);
        for (DemoNode node : cluster.nodes()) {
            await("shown rows on " + node.id())
                    .atMost(TestingThree.PATIENCE)
                    .ignoreExceptionsInstanceOf(SQLException.class)
                    .untilAsserted(() -> assertThat(cluster.rows(node, BASE, BASE + 1_000_000))
                            .containsAll(shown));
        }
        for (Waiting waiting : all) {
            waiting.close();
        }
    }

    @Test
    void takesAPrimaryBackThatReturnsWithWalThatNobodyElseHas() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        long copies = copies(old);
        try (Writes writes = Writes.steady(cluster)) {
            Waiting waiting = new Waiting("a commit that nobody else has", old);
            try (HeldStreams held = cluster.holdStreams(old);
                    PgConnection behind = cluster.behind(old)) {
                waiting.insert();
                awaitInWait(behind, waiting.pid);

                // When
                cluster.kill(old);
                assertThat(held).isNotNull();
            }
            cluster.awaitSuccessor(old);
            cluster.start(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            writes.auditEverywhere();

            // Then
            assertThat(copies(old)).isGreaterThan(copies);
            assertThat(cluster.said(old, ", as generation ")).isPositive();
            assertThat(waiting.acknowledged()).isFalse();
            for (DemoNode node : cluster.nodes()) {
                assertThat(cluster.rows(node, BASE, BASE + 1_000_000)).doesNotContain(waiting.id);
            }
            HistoryChecker.Verdict verdict =
                    writes.verdictOf(cluster.node(old.id().value()));
            assertThat(verdict.clean()).as("%s", verdict).isTrue();
            waiting.close();
        }
    }

    /** How often it has come back by a rewind, or without pg_rewind by a clone. */
    private long copies(DemoNode node) {
        return cluster.said(node, "base backup copied") + cluster.said(node, "rewind complete");
    }

    /** Four commits that wait, and four ways to end the wait; the first two must not end it. */
    private void cancelInEveryWay(DemoNode primary, PgConnection behind, List<Waiting> all) throws Exception {
        Waiting byClient = new Waiting("cancelled by its client", primary);
        Waiting byTimeout = new Waiting("statement_timeout", primary);
        byTimeout.run("SET statement_timeout = '200ms'");
        Waiting bySuperuser = new Waiting("pg_cancel_backend, warning silenced", primary);
        bySuperuser.run("SET client_min_messages = error");
        Waiting terminated = new Waiting("pg_terminate_backend", primary);
        all.addAll(List.of(byClient, byTimeout, bySuperuser, terminated));
        for (Waiting waiting : all) {
            waiting.insert();
            awaitInWait(behind, waiting.pid);
        }
        byClient.connection.unwrap(PGConnection.class).cancelQuery();
        behind.query("SELECT pg_cancel_backend(" + bySuperuser.pid + ")", SOON);
        behind.query("SELECT pg_terminate_backend(" + terminated.pid + ")", SOON);
        await("the superuser's cancels end the waits")
                .atMost(SOON)
                .untilAsserted(() -> assertThat(
                                List.of(inWait(behind, bySuperuser.pid), inWait(behind, terminated.pid)))
                        .containsOnly(false));
        await("the time-out has passed")
                .atMost(SOON)
                .until(() -> behind.query(
                                "SELECT now() - query_start > '400ms' FROM pg_stat_activity WHERE pid = "
                                        + byTimeout.pid,
                                SOON)
                        .single()
                        .equals("t"));
        assertThat(inWait(behind, byClient.pid))
                .as("a client's cancel reaches no wait")
                .isTrue();
        assertThat(inWait(behind, byTimeout.pid)).as("a time-out ends no wait").isTrue();
    }

    private static void awaitInWait(PgConnection behind, long pid) {
        await("the commit waits").atMost(SOON).until(() -> inWait(behind, pid));
    }

    private static boolean inWait(PgConnection behind, long pid) {
        return "SyncRep"
                .equals(behind.query("SELECT wait_event FROM pg_stat_activity WHERE pid = " + pid, SOON)
                        .singleOrNull());
    }

    private static List<Long> ids(PgConnection session) {
        return session
                .query("SELECT id FROM %s WHERE id >= %d".formatted(OpenLoopWriter.TABLE, BASE), SOON)
                .rows()
                .stream()
                .map(row -> Long.valueOf(row.getFirst()))
                .toList();
    }

    private static List<Long> ids(Connection session) throws SQLException {
        List<Long> out = new ArrayList<>();
        try (Statement statement = session.createStatement();
                var rows = statement.executeQuery(
                        "SELECT id FROM %s WHERE id >= %d".formatted(OpenLoopWriter.TABLE, BASE))) {
            while (rows.next()) {
                out.add(rows.getLong(1));
            }
        }
        return out;
    }

    private interface Asked<T> {
        T get() throws Exception;
    }

    private static <T> CompletableFuture<T> inBackground(Asked<T> asked) {
        CompletableFuture<T> out = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                out.complete(asked.get());
            } catch (Throwable e) {
                out.completeExceptionally(e);
            }
        });
        return out;
    }

    /** A session whose commit waits. */
    private final class Waiting implements AutoCloseable {
        private final String how;
        private final long id = nextId++;
        private final Connection connection;
        private final long pid;
        private CompletableFuture<Integer> answer = new CompletableFuture<>();

        Waiting(String how, DemoNode primary) throws SQLException {
            this.how = how;
            this.connection = cluster.local(primary);
            try (Statement statement = connection.createStatement();
                    var row = statement.executeQuery("SELECT pg_backend_pid()")) {
                row.next();
                this.pid = row.getLong(1);
            }
        }

        void run(String sql) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.execute(sql);
            }
        }

        void insert() {
            answer = inBackground(() -> {
                try (Statement statement = connection.createStatement()) {
                    return statement.executeUpdate(
                            "INSERT INTO %s (id) VALUES (%d)".formatted(OpenLoopWriter.TABLE, id));
                }
            });
        }

        boolean acknowledged() {
            return answer.isDone() && !answer.isCompletedExceptionally();
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }
    }
}
