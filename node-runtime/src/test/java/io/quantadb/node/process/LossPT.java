package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.runtime.AgentRunner;
import io.quantadb.node.runtime.CaService;
import io.quantadb.node.testing.PostgresVersion;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What an operator does when what is left cannot go on by itself: by commands that name the loss. */
@Tag("process")
class LossPT {
    private static final long BASE = 810_000_000_000L;

    private final StringWriter said = new StringWriter();
    private TestingThree cluster;

    @BeforeEach
    void form() {
        cluster = TestingThree.form(getClass(), PostgresVersion.V15);
        cluster.awaitConverged();
    }

    @AfterEach
    void end() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private int quantadb(String... args) {
        said.getBuffer().setLength(0);
        PrintWriter out = new PrintWriter(said, true);
        return QuantaDb.execute(
                new Services(AgentRunner::new, CaService::new),
                Map.of("QUANTADB_DEMO_DIR", cluster.folder().resolve("c").toString()),
                Path.of(""),
                out,
                out,
                args);
    }

    private List<DemoNode> others(DemoNode than) {
        return cluster.nodes().stream().filter(n -> !n.id().equals(than.id())).toList();
    }

    /** On whoever is primary; asked again until somebody takes it. */
    private void insert(long id) {
        await("row %d is written".formatted(id))
                .atMost(TestingThree.PATIENCE)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> {
                    try (Connection connection = cluster.sql().patient();
                            Statement statement = connection.createStatement()) {
                        // An answer that was lost may be of a row that is there.
                        return statement.executeUpdate(
                                        "INSERT INTO %1$s (id) SELECT %2$d WHERE NOT EXISTS (SELECT 1 FROM %1$s WHERE id = %2$d)"
                                                .formatted(OpenLoopWriter.TABLE, id))
                                >= 0;
                    }
                });
    }

    private void awaitRows(DemoNode node, List<Long> expected) {
        await("rows of " + node.id())
                .atMost(TestingThree.PATIENCE)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .untilAsserted(
                        () -> assertThat(cluster.rows(node, BASE, BASE + 100)).containsExactlyElementsOf(expected));
    }

    /** The primary acknowledges alone, by policy, and dies; its standbys are there and nobody knows what they miss. */
    @Test
    void aForcedFailoverNamesTheLossAndBringsWritesBackWhereNoneHappensByItself() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        List<DemoNode> others = others(primary);
        insert(BASE);
        int needless = quantadb("failover", "--force", "--yes-i-accept-data-loss");
        String whyNeedless = said.toString();
        assertThat(quantadb("mode", "quorum", "--policy", "shrink", "--shrink-after", "1s"))
                .as(said.toString())
                .isZero();
        for (DemoNode other : others) {
            assertThat(quantadb("fence", other.id().value(), "--force"))
                    .as(said.toString())
                    .isZero();
        }
        await("nobody acknowledges beside the primary")
                .atMost(TestingThree.PATIENCE)
                .until(() -> cluster.view().body().path("rule").asText().equals("none"));
        insert(BASE + 1);
        cluster.kill(primary);
        await("a leader of those that are left")
                .atMost(TestingThree.PATIENCE)
                .until(() -> !cluster.view().leader().isEmpty()
                        && !cluster.view().leader().equals(primary.id().value()));
        int nobody = quantadb("failover", "--force", "--yes-i-accept-data-loss");
        String whyNobody = said.toString();
        for (DemoNode other : others) {
            assertThat(quantadb("unfence", other.id().value()))
                    .as(said.toString())
                    .isZero();
        }
        int plain = quantadb("failover");
        String whyPlain = said.toString();

        // When
        int[] forced = {-1};
        await("somebody answers who can be primary")
                .atMost(TestingThree.PATIENCE)
                .until(() -> {
                    forced[0] = quantadb("failover", "--force", "--yes-i-accept-data-loss");
                    return forced[0] == 0;
                });
        String how = said.toString();
        insert(BASE + 2);

        // Then
        assertThat(needless).as(whyNeedless).isEqualTo(ExitCode.REFUSED.status());
        assertThat(whyNeedless).contains(primary.id() + " is primary and its PostgreSQL runs");
        assertThat(nobody).as(whyNobody).isEqualTo(ExitCode.REFUSED.status());
        assertThat(whyNobody).contains("nobody can be made primary", "is fenced");
        assertThat(plain).isEqualTo(ExitCode.CONFIG.status());
        assertThat(whyPlain).contains("happens by itself", "quantadb switchover");
        assertThat(how)
                .contains(
                        "COMMITS THAT WERE ACKNOWLEDGED MAY BE LOST FOR GOOD",
                        "nobody acknowledged commits beside " + primary.id(),
                        "is lost for good");

        // And when
        assertThat(quantadb("mode", "quorum", "--policy", "block"))
                .as(said.toString())
                .isZero();
        cluster.start(primary);
        cluster.awaitConverged();

        // Then
        for (DemoNode node : cluster.nodes()) {
            awaitRows(node, List.of(BASE, BASE + 2));
        }
    }

    /** Two of three disks are gone; they come back once the third has gone on without them. */
    @Test
    void oneOfThreeGoesOnAloneAndTheDisksOfTheOthersAreRefusedWhenTheyComeBack() throws Exception {
        // Given
        DemoNode survivor = cluster.primary();
        List<DemoNode> lost = others(survivor);
        insert(BASE);
        int running = recover(survivor);
        String whyRunning = said.toString();
        cluster.kill(survivor);
        int majority = recover(survivor);
        String whyMajority = said.toString();
        for (DemoNode node : lost) {
            cluster.kill(node);
            Files.move(data(node), data(node).resolveSibling("data.lost"));
        }

        // When
        int recovered = recover(survivor);
        String how = said.toString();
        cluster.start(survivor);
        insert(BASE + 1);

        // Then
        assertThat(running).as(whyRunning).isEqualTo(ExitCode.DATA_DIRECTORY.status());
        assertThat(whyRunning).contains("stop the node first");
        assertThat(majority).as(whyMajority).isEqualTo(ExitCode.REFUSED.status());
        assertThat(whyMajority).contains("majority", "nothing was changed");
        assertThat(recovered).as(how).isZero();
        assertThat(how)
                .contains(
                        "COMMITS THAT WERE ACKNOWLEDGED MAY BE LOST FOR GOOD",
                        "does not answer",
                        "what cannot be prevented",
                        survivor.id() + " is cluster");
        assertThat(cluster.view().body().path("nodes")).hasSize(1);

        // And when both come back as they were, a majority of what they belong to
        for (DemoNode node : lost) {
            Files.move(data(node).resolveSibling("data.lost"), data(node));
            cluster.start(node);
        }

        // Then
        for (DemoNode node : lost) {
            assertThat(cluster.awaitEnd(cluster.node(node.id().value()))).isEqualTo(ExitCode.IDENTITY.status());
            assertThat(cluster.said(node, "was given up after a lost majority")).isPositive();
        }
        assertThat(cluster.view().body().path("nodes")).hasSize(1);
        insert(BASE + 2);

        // And when they begin anew
        for (DemoNode node : lost) {
            MembersPT.removeTree(data(node));
            cluster.start(node);
        }
        cluster.awaitConverged();

        // Then
        assertThat(cluster.view().body().path("nodes")).hasSize(3);
        for (DemoNode node : cluster.nodes()) {
            awaitRows(node, List.of(BASE, BASE + 1, BASE + 2));
        }
    }

    private int recover(DemoNode node) {
        return quantadb("recover-quorum", "--config", node.settings().toString(), "--yes-i-accept-data-loss");
    }

    private static Path data(DemoNode node) throws IOException {
        return node.folder().resolve("data");
    }
}
