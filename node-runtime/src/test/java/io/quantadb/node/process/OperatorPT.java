package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresVersion;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What an operator does to single nodes of a running cluster, by the command line, while rows are written. */
class OperatorPT extends OnOneCluster {
    private final StringWriter said = new StringWriter();

    @Override
    TestingThree formed() {
        return TestingThree.form(getClass(), PostgresVersion.V15);
    }

    private int quantadb(String... args) {
        said.getBuffer().setLength(0);
        PrintWriter out = new PrintWriter(said, true);
        return QuantaDb.execute(
                new Services(
                        () -> {
                            throw new AssertionError("runs no node");
                        },
                        () -> {
                            throw new AssertionError("makes no certificate");
                        }),
                Map.of("QUANTADB_DEMO_DIR", cluster.folder().resolve("c").toString()),
                Path.of(""),
                out,
                out,
                args);
    }

    private DemoNode standby() {
        return cluster.nodes().stream()
                .filter(n -> !n.id().equals(cluster.primary().id()))
                .findFirst()
                .orElseThrow();
    }

    private JsonNode member(DemoNode node) {
        return cluster.view()
                .body()
                .path("nodes")
                .valueStream()
                .filter(m -> m.path("id").asText().equals(node.id().value()))
                .findFirst()
                .orElseThrow();
    }

    private boolean serves(DemoNode node) {
        try (Connection session = cluster.local(node)) {
            return session.isValid(30);
        } catch (SQLException e) {
            return false;
        }
    }

    /** The node's own word, since others only see that nothing streams. */
    private boolean serverRuns(DemoNode node) {
        return new ClusterClient(null)
                .get(node.api(), "/cluster/status")
                .map(own -> own.path("replication").path("server_pid").asLong() != 0)
                .orElse(true);
    }

    @Test
    void aFencedStandbyServesNoSqlAndStopsItsServerThroughARestartOfItsAgentUntilItIsFree() throws Exception {
        // Given
        DemoNode fenced = standby();
        String id = fenced.id().value();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            int fence = quantadb("fence", id);
            String how = said.toString();
            await("its server is stopped, and the rule does without it")
                    .atMost(TestingThree.PATIENCE)
                    .untilAsserted(() -> {
                        assertThat(serverRuns(fenced)).isFalse();
                        assertThat(member(fenced).path("acknowledges").asBoolean())
                                .isFalse();
                    });
            boolean servesAtOnce = serves(fenced);
            cluster.kill(fenced);
            cluster.start(fenced);
            await("its agent is back and fenced").atMost(TestingThree.PATIENCE).untilAsserted(() -> {
                assertThat(member(fenced).path("state").asText()).isEqualTo("STOPPED");
                assertThat(serverRuns(fenced)).isFalse();
            });
            boolean servesAfterRestart = serves(fenced);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            int switchover = quantadb("switchover", "--to", id);
            String refused = said.toString();
            int status = quantadb("status");
            String shown = said.toString();
            int free = quantadb("unfence", id);

            // Then
            assertThat(fence).as(how).isZero();
            assertThat(how).contains(id + " serves no SQL", "fenced: " + id);
            assertThat(servesAtOnce).isFalse();
            assertThat(servesAfterRestart).isFalse();
            assertThat(switchover).isEqualTo(ExitCode.REFUSED.status());
            assertThat(refused).contains(id + " is fenced", "quantadb unfence " + id);
            assertThat(status).isZero();
            assertThat(shown).contains("fenced: " + id, "STOPPED");
            assertThat(free).isZero();
            writes.auditEverywhere();
        }
    }

    @Test
    void fencingThePrimaryMovesItFirstAndLosesNothing() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            int fence = quantadb("fence", old.id().value());
            String how = said.toString();
            String primary = cluster.view().primary();
            writes.awaitAcknowledgedAfter(System.nanoTime());
            int free = quantadb("unfence", old.id().value());

            // Then
            assertThat(fence).as(how).isZero();
            assertThat(how).contains(old.id() + " is the primary", "takes over first");
            assertThat(primary).isNotEqualTo(old.id().value());
            assertThat(free).isZero();
            writes.auditEverywhere();
        }
    }

    /** No server but the primary's would be left to take over. */
    @Test
    void fencingThePrimaryIsRefusedWhereNobodyCanTakeOverUnlessForced() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        List<DemoNode> others = cluster.nodes().stream()
                .filter(n -> !n.id().equals(primary.id()))
                .toList();
        try (Writes writes = Writes.steady(cluster)) {
            for (DemoNode other : others) {
                assertThat(quantadb("fence", other.id().value()))
                        .as(said.toString())
                        .isZero();
            }
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // When
            int refused = quantadb("fence", primary.id().value());
            String why = said.toString();
            writes.awaitAcknowledgedAfter(System.nanoTime());
            int forced = quantadb("fence", primary.id().value(), "--force");
            String how = said.toString();
            await("the primary's server is stopped")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> !serverRuns(primary));
            boolean serves = serves(primary);
            for (DemoNode node : cluster.nodes()) {
                assertThat(quantadb("unfence", node.id().value()))
                        .as(said.toString())
                        .isZero();
            }
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            assertThat(refused).as(why).isEqualTo(ExitCode.REFUSED.status());
            assertThat(why).contains(primary.id() + " is the primary", "is fenced", "--force");
            assertThat(forced).as(how).isZero();
            assertThat(how).contains("writes stop");
            assertThat(serves).isFalse();
            writes.auditEverywhere();
        }
    }

    @Test
    void everyServerIsRestartedInTurnUnderWritesThePrimaryLastAndNothingIsLost() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        Map<String, String> before = servers();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            int restart = quantadb("restart", "--rolling", "--delay", "100ms", "--timeout", "60s");
            String how = said.toString();
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            assertThat(restart).as(how).isZero();
            assertThat(how)
                    .contains(
                            "[3/3] %s: its PostgreSQL restarts".formatted(primary.id()),
                            "[3/3] %s: back in".formatted(primary.id()),
                            "the primary moved from " + primary.id());
            assertThat(servers())
                    .allSatisfy((id, server) -> assertThat(server).as(id).isNotEqualTo(before.get(id)));
            writes.auditEverywhere();
        }
    }

    /** When each node's server was started, by its own word. */
    private Map<String, String> servers() {
        Map<String, String> out = new TreeMap<>();
        for (DemoNode node : cluster.nodes()) {
            try (PgConnection session = cluster.behind(node)) {
                out.put(
                        node.id().value(),
                        session.query("SELECT pg_postmaster_start_time()", TestingThree.PATIENCE)
                                .single());
            }
        }
        return out;
    }

    /** Its agent stands still, so that nobody stops its server. */
    @Test
    void aRollingRestartEndsAtTheFirstNodeThatDoesNotComeBackAndLeavesTheRestAlone() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        DemoNode stuck = standby();
        DemoNode other = cluster.nodes().stream()
                .filter(n -> !n.id().equals(primary.id()) && !n.id().equals(stuck.id()))
                .findFirst()
                .orElseThrow();
        String before = servers().get(other.id().value());
        int restart;
        String why;
        TestingThree.signal(stuck, "-STOP");
        try {
            // When
            restart = quantadb("restart", "--rolling", "--timeout", "3s");
            why = said.toString();
        } finally {
            TestingThree.signal(stuck, "-CONT");
        }
        cluster.awaitConverged();

        // Then
        assertThat(restart).as(why).isIn(ExitCode.TIMEOUT.status(), ExitCode.REFUSED.status());
        assertThat(why).contains(stuck.id().value());
        assertThat(cluster.view().primary()).isEqualTo(primary.id().value());
        assertThat(servers().get(other.id().value())).isEqualTo(before);
    }

    /** Of three nodes two are gone: nobody leads, and no write is possible. */
    @Test
    void withoutAMajorityReadsGoOnWhereTheyMayAndAreCalledStale() throws Exception {
        // Given
        DemoNode former = cluster.primary();
        List<DemoNode> others = cluster.nodes().stream()
                .filter(n -> !n.id().equals(former.id()))
                .toList();
        int all = quantadb("mode", "--minority-reads", "all");
        String allowed = said.toString();

        // When
        others.forEach(cluster::kill);
        await("the former primary shows its data").atMost(TestingThree.PATIENCE).untilAsserted(() -> {
            assertThat(reads(former)).isEqualTo("stale");
            assertThat(serves(former)).isTrue();
        });
        String written = write(former);
        others.forEach(cluster::start);
        cluster.awaitConverged();
        int none = quantadb("mode", "--minority-reads", "none");
        DemoNode left = standby();
        List<DemoNode> gone =
                cluster.nodes().stream().filter(n -> !n.id().equals(left.id())).toList();
        gone.forEach(cluster::kill);
        await("the standby that is left shows nothing")
                .atMost(TestingThree.PATIENCE)
                .untilAsserted(() -> assertThat(reads(left)).isEqualTo("none"));
        boolean readNone = serves(left);
        gone.forEach(cluster::start);
        cluster.awaitConverged();
        int back = quantadb("mode", "--minority-reads", "replicas");

        // Then
        assertThat(all).as(allowed).isZero();
        assertThat(allowed).contains("without a leader reads on: all");
        assertThat(written).isEqualTo("25006");
        assertThat(none).isZero();
        assertThat(readNone).isFalse();
        assertThat(back).isZero();
    }

    private static String reads(DemoNode node) {
        return new ClusterClient(null)
                .get(node.api(), "/cluster/status")
                .map(own -> own.path("replication").path("reads").asText())
                .orElse("");
    }

    /** The SQLSTATE with which a write through the node's own port ends. */
    private String write(DemoNode node) throws SQLException {
        try (Connection session = cluster.local(node);
                Statement statement = session.createStatement()) {
            statement.executeUpdate("INSERT INTO %s (id) VALUES (1)".formatted(OpenLoopWriter.TABLE));
            return "";
        } catch (SQLException e) {
            return String.valueOf(e.getSQLState());
        }
    }

    @Test
    void refusesToRestartThePrimaryOrNobodyAndSaysWhatToDo() {
        // When
        int primary = quantadb("restart", cluster.view().primary());
        String why = said.toString();
        int stranger = quantadb("restart", "node9");
        String who = said.toString();
        int nobody = quantadb("restart");

        // Then
        assertThat(primary).as(why).isEqualTo(ExitCode.REFUSED.status());
        assertThat(why).contains("is the primary", "quantadb switchover", "--rolling");
        assertThat(stranger).isEqualTo(ExitCode.REFUSED.status());
        assertThat(who).contains("node9", "node1, node2, node3");
        assertThat(nobody).isEqualTo(ExitCode.CONFIG.status());
        assertThat(said.toString()).contains("--rolling");
    }
}
