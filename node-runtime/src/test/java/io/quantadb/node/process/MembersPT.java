package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.common.SlotNames;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresVersion;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What an operator changes in a running cluster, by the command line, while rows are written. */
class MembersPT extends OnOneCluster {
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

    /** Neither the primary nor the first, whose settings permit it to form a cluster on an empty disk. */
    private DemoNode standby() {
        return cluster.nodes().stream()
                .skip(1)
                .filter(n -> !n.id().equals(cluster.primary().id()))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aMemberIsTakenOutAndComesBackWithAnEmptyDiskAndNothingIsLost() throws Exception {
        // Given
        DemoNode leaving = standby();
        String id = leaving.id().value();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            int refused = quantadb("members", "remove", id);
            String why = said.toString();
            int removed = quantadb("members", "remove", id, "--anyway");
            String how = said.toString();
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            assertThat(refused).as(why).isEqualTo(ExitCode.REFUSED.status());
            assertThat(why).contains("two voters would be left");
            assertThat(removed).as(how).isZero();
            assertThat(how).contains(id + " is no member any more");
            assertThat(cluster.view().body().path("nodes")).hasSize(2);
            assertThat(cluster.view().body().path("rule").asText()).doesNotContain(id);
            await("no WAL is kept for it, by anybody")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> cluster.nodes().stream()
                            .filter(n -> !n.id().equals(leaving.id()))
                            .noneMatch(n -> keepsWalFor(n, leaving)));

            assertThat(cluster.awaitEnd(leaving)).as("it has heard of it").isEqualTo(ExitCode.IDENTITY.status());

            // And when
            removeTree(leaving.folder().resolve("data"));
            cluster.start(leaving);

            // Then
            await("three again")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> cluster.view().body().path("nodes").size() == 3);
            writes.auditEverywhere();
        }
    }

    private boolean keepsWalFor(DemoNode keeper, DemoNode member) {
        try (PgConnection session = cluster.behind(keeper)) {
            String slots = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s'"
                    .formatted(SlotNames.of(member.id()));
            return !session.query(slots, TestingThree.PATIENCE).single().equals("0");
        }
    }

    @Test
    void aMemberIsCopiedAnewUnderWritesAndNothingIsLost() throws Exception {
        // Given
        DemoNode copied = standby();
        String id = copied.id().value();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            int primary = quantadb("members", "resync", cluster.view().primary());
            String refused = said.toString();
            int anew = quantadb("members", "resync", id, "--timeout", "120s");
            String how = said.toString();
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            assertThat(primary).as(refused).isEqualTo(ExitCode.REFUSED.status());
            assertThat(refused).contains("is the primary");
            assertThat(anew).as(how).isZero();
            assertThat(how).contains("throws its data away").contains(id + " follows again, with a new copy");
            assertThat(cluster.view().body().path("rule").asText()).contains(id);
            writes.auditEverywhere();
        }
    }

    @Test
    void aPriorityThatWasSetByCommandChoosesTheNextPrimaryAndHoldsWhenTheNodeRestarts() throws Exception {
        // Given the one that would not be chosen, being the last by name
        DemoNode heir = cluster.nodes().reversed().stream()
                .filter(n -> !n.id().equals(cluster.primary().id()))
                .findFirst()
                .orElseThrow();
        String id = heir.id().value();

        // When
        int set = quantadb("members", "set", id, "--priority", "200", "--zone", "b");
        String how = said.toString();
        TestingThree.Ran moved = cluster.switchover();
        String primary = cluster.awaitConverged().primary();
        cluster.kill(heir);
        var _ = cluster.awaitSuccessor(heir);
        cluster.start(heir);
        cluster.awaitConverged();
        JsonNode restarted = member(id);
        int back = quantadb("members", "set", id, "--own-priority", "--own-zone");

        // Then
        assertThat(set).as(how).isZero();
        assertThat(how).contains(id + ": priority 200, zone b").contains("200 (set; own 100)");
        assertThat(restarted.path("priority").asInt()).isEqualTo(200);
        assertThat(restarted.path("zone").asText()).isEqualTo("b");
        assertThat(moved.status()).as(moved.err()).isZero();
        assertThat(primary).isEqualTo(id);
        assertThat(back).as(said.toString()).isZero();
        assertThat(member(id).path("priority").asInt()).isEqualTo(100);
    }

    private JsonNode member(String id) {
        return cluster.view()
                .body()
                .path("nodes")
                .valueStream()
                .filter(m -> m.path("id").asText().equals(id))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void thePrimaryIsNotTakenOutAndAStrangerIsNamed() {
        // When
        int primary = quantadb("members", "remove", cluster.view().primary(), "--anyway");
        String why = said.toString();
        int stranger = quantadb("members", "remove", "node9");

        // Then
        assertThat(primary).as(why).isEqualTo(ExitCode.REFUSED.status());
        assertThat(why).contains("is the primary").contains("switch over");
        assertThat(stranger).isEqualTo(ExitCode.REFUSED.status());
        assertThat(said.toString()).contains("node9").contains("node1, node2, node3");
        assertThat(cluster.view().body().path("nodes")).hasSize(3);
    }

    @Test
    void theModeChangesUnderWritesAndShrinksWhenAMemberIsAwayForLonger() throws Exception {
        // Given
        DemoNode away = standby();
        try (Writes writes = Writes.steady(cluster)) {
            // When
            int all = quantadb("mode", "all", "--policy", "shrink", "--shrink-after", "1s");
            String rule = said.toString();
            cluster.kill(away);
            long killed = System.nanoTime();
            await("the rule asks for the one that is left")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> rule(cluster.view().body()).startsWith("ANY 1 of"));
            writes.awaitAcknowledgedAfter(killed);
            cluster.start(away);
            await("the rule asks for both again")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> rule(cluster.view().body()).startsWith("ANY 2 of"));
            int back = quantadb("mode", "quorum", "--policy", "block");

            // Then
            assertThat(all).as(rule).isZero();
            assertThat(rule).contains("mode all, policy shrink after 1s").contains("ANY 2 of");
            assertThat(back).as(said.toString()).isZero();
            assertThat(said.toString()).contains("mode quorum, policy block").contains("ANY 1 of");
            writes.auditEverywhere();
        }
    }

    @Test
    void inMaintenanceADeadPrimaryIsReplacedOnlyOnceItIsOver() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        List<DemoNode> others = cluster.nodes().stream()
                .filter(n -> !n.id().equals(primary.id()))
                .toList();
        try (Writes writes = Writes.steady(cluster)) {
            int on = quantadb("maintenance", "on", "--for", "10m");
            String words = said.toString();

            // When
            cluster.kill(primary);
            await("somebody holds the failover back")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> others.stream()
                            .anyMatch(n ->
                                    cluster.said(n, "holds the failover back: the cluster is in maintenance") > 0));
            String meanwhile = cluster.view().primary();
            int off = quantadb("maintenance", "off");
            String after = said.toString();
            DemoNode successor = cluster.awaitSuccessor(primary);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            cluster.start(primary);

            // Then
            assertThat(on).as(words).isZero();
            assertThat(words).contains("in maintenance until 20");
            assertThat(meanwhile).isEqualTo(primary.id().value());
            assertThat(off).as(after).isZero();
            assertThat(after).contains("no maintenance");
            assertThat(others).contains(successor);
            writes.auditEverywhere();
        }
    }

    private static String rule(JsonNode view) {
        return view.path("rule").asText();
    }

    static void removeTree(Path folder) throws IOException {
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
