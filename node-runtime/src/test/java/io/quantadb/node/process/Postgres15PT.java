package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.testing.PostgresVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The oldest supported PostgreSQL, as distributions package it, through every fault of a process or a disk. */
class Postgres15PT extends FaultScenarios {
    @Override
    PostgresVersion version() {
        return PostgresVersion.V15;
    }

    @Test
    void losesNothingWhenAllOfPostgresDies() throws Exception {
        killPostgres(true);
    }

    @Test
    void losesNothingWhenOnlyTheAgentDies() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            assertThat(TestingThree.agent(old).kill()).isTrue();
            cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            cluster.start(old);

            // Then
            writes.auditEverywhere();
        }
    }

    @Test
    void aPausedPrimaryAnswersNothingWhenItWakes() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        try (Writes writes = Writes.steady(cluster);
                Connection writer = cluster.local(old);
                Connection reader = cluster.local(old);
                ExecutorService background = Executors.newVirtualThreadPerTaskExecutor()) {
            count(writer);
            count(reader);

            // When
            TestingThree.signal(old, "-STOP");
            Future<?> sentWhileAsleep = background.submit(() -> {
                try (Statement statement = writer.createStatement()) {
                    return statement.executeUpdate("INSERT INTO " + OpenLoopWriter.TABLE + " (id) VALUES (1)");
                }
            });
            cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            TestingThree.signal(old, "-CONT");

            // Then
            assertThatThrownBy(() -> sentWhileAsleep.get(60, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(SQLException.class);
            assertThatThrownBy(() -> count(reader)).isInstanceOf(SQLException.class);
            writes.auditEverywhere();
        }
    }

    @Test
    void losesNothingWhenTheSuccessorDiesTooBeforeTheFirstReturns() throws Exception {
        // Given
        DemoNode first = cluster.primary();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            cluster.kill(first);
            DemoNode second = cluster.awaitSuccessor(first);
            cluster.kill(second);
            cluster.start(first);
            cluster.start(second);
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            writes.auditEverywhere();
        }
    }

    @Test
    void takesANodeWithAnEmptiedDiskInAgain() throws Exception {
        // Given
        DemoNode emptied = cluster.nodes().stream()
                .filter(n -> !n.id().equals(cluster.primary().id()))
                // The first node's settings permit it to form a cluster on an empty disk.
                .filter(n -> !n.id().equals(cluster.nodes().getFirst().id()))
                .findFirst()
                .orElseThrow();
        String incarnation = incarnation(emptied);
        long cloned = cluster.said(emptied, "base backup copied");
        try (Writes writes = Writes.steady(cluster)) {
            // When
            cluster.kill(emptied);
            removeTree(emptied.folder().resolve("data"));
            cluster.start(emptied);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            await("cloned")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> cluster.said(emptied, "base backup copied") > cloned);

            // Then
            writes.auditEverywhere();
            assertThat(incarnation(emptied)).isNotEqualTo(incarnation);
        }
    }

    @Test
    void refusesANodeWithTheCertificateOfAnotherCluster(@TempDir Path folder) throws Exception {
        // Given
        ClusterClient.View before = cluster.view();

        // When
        try (Stranger stranger = Stranger.knocksAt(cluster.nodes().getFirst(), folder)) {
            await("the stranger is told why")
                    .atMost(TestingThree.PATIENCE)
                    .untilAsserted(() -> assertThat(stranger.log()).containsIgnoringCase("certificate"));

            // Then
            assertThat(stranger.awaitEnd()).isEqualTo(ExitCode.CERTIFICATE.status());
            assertThat(stranger.data()).doesNotExist();
        }
        ClusterClient.View after = cluster.awaitConverged();
        assertThat(after.epoch()).isEqualTo(before.epoch());
        assertThat(after.body().path("term")).isEqualTo(before.body().path("term"));
        assertThat(after.body().path("nodes").size()).isEqualTo(3);
    }

    @Test
    void refusesANodeWhoseIdIsInUseAndNothingIsLeftOfIt(@TempDir Path folder) throws Exception {
        // Given
        ClusterClient.View before = cluster.view();
        DemoNode named = cluster.nodes().getLast();

        // When
        try (Stranger stranger = Stranger.bearsTheNameOf(named, cluster.nodes().getFirst(), folder)) {
            int status = stranger.awaitEnd();

            // Then
            assertThat(status).as(stranger.log()).isEqualTo(ExitCode.IDENTITY.status());
            assertThat(stranger.log()).contains("node id " + named.id() + " is in use");
            assertThat(stranger.data()).doesNotExist();
        }
        ClusterClient.View after = cluster.awaitConverged();
        assertThat(after.epoch()).isEqualTo(before.epoch());
        assertThat(after.body().path("nodes").size()).isEqualTo(3);
    }

    private static String incarnation(DemoNode node) throws IOException {
        return Files.readString(
                node.folder().resolve("data").resolve("cluster").resolve("node.facts"),
                java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    private static long count(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                var row = statement.executeQuery("SELECT count(*) FROM " + OpenLoopWriter.TABLE)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static void removeTree(Path folder) throws IOException {
        try (var walk = Files.walk(folder)) {
            walk.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.delete(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
