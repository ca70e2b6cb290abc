package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.HeapBytes;
import io.quantadb.node.testing.PostgresBinaries;
import io.quantadb.node.testing.PostgresVersion;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** {@code quantadb verify} on a cluster of three, while rows are written. */
@Tag("process")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VerifyPT {
    private static final Duration SOON = Duration.ofSeconds(30);

    private TestingThree cluster;

    private record Outcome(int status, String out, String err) {
        JsonNode json() throws Exception {
            return new ObjectMapper().readTree(out);
        }
    }

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
    void findsNoDifferenceUnderAWriterAndHoldsItUpForNobody() throws Exception {
        try (Writes writes = Writes.steady(cluster)) {
            // When
            List<Outcome> outcomes = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                outcomes.add(verify("--rate", "0B"));
            }
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            for (Outcome outcome : outcomes) {
                assertThat(outcome.status()).as("%s", outcome).isZero();
                assertThat(outcome.out()).contains("public.bench_writes").contains(": all alike");
            }
            writes.auditEverywhere();
        }
    }

    @Test
    void findsARowThatWasForgedAndABlockThatRottedEachOnItsStandby() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        List<DemoNode> standbys = cluster.nodes().stream()
                .filter(node -> !node.id().equals(primary.id()))
                .toList();
        DemoNode forged = standbys.get(0);
        DemoNode rotten = standbys.get(1);
        String file = prepare(primary, standbys);

        // When
        whileStopped(forged, () -> {
            HeapBytes.overwrite(forged.postgresData(), file, "order 004321", "order 994321");
            HeapBytes.sealChecksums(PostgresBinaries.require(PostgresVersion.V15), forged.postgresData());
        });
        whileStopped(rotten, () -> HeapBytes.overwrite(rotten.postgresData(), file, "order 001234", "order 991234"));
        assertThat(cluster.primary().id()).isEqualTo(primary.id());
        Outcome found;
        try (Writes writes = Writes.steady(cluster)) {
            found = verify("--table", "orders,bench_writes", "--database", "postgres", "--json");
            writes.auditEverywhere();
        }

        // Then
        assertThat(found.status()).as("%s", found).isEqualTo(ExitCode.DIFFERENT.status());
        JsonNode tables = found.json().path("tables");
        assertThat(tables).hasSize(2);
        for (JsonNode node : tables.path(0).path("nodes")) {
            assertThat(node.path("same").asBoolean())
                    .as("bench_writes on %s", node)
                    .isTrue();
        }
        JsonNode orders = tables.path(1);
        assertThat(orders.path("table").asText()).isEqualTo("orders");
        assertThat(orders.path("rows").asLong()).isEqualTo(5000);
        JsonNode onForged = of(orders, forged);
        assertThat(onForged.path("changed").asLong()).as("%s", onForged).isEqualTo(1);
        assertThat(onForged.path("unreadable").asLong()).isZero();
        try (PgConnection session = cluster.behind(primary)) {
            assertThat(session.query("SELECT ctid FROM orders WHERE id = 4321", SOON)
                            .single())
                    .isEqualTo(onForged.at("/findings/0/rows/0/ctid").asText());
            // The damage goes with it: the cluster is another scenario's next.
            var _ = session.query("DROP TABLE orders", SOON);
        }
        JsonNode onRotten = of(orders, rotten);
        assertThat(onRotten.path("unreadable").asLong()).as("%s", onRotten).isEqualTo(1);
        assertThat(onRotten.path("changed").asLong()).isZero();
        assertThat(onRotten.at("/findings/0/error").asText()).contains("invalid page");
        assertThat(of(orders, primary).path("same").asBoolean()).isTrue();
    }

    @Test
    void saysWhatToDoWhenATableOrDatabaseDoesNotExistOrThePasswordIsWrong() throws Exception {
        // When
        Outcome nowhere = verify("--table", "nowhere");
        Path wrong = Files.writeString(cluster.folder().resolve("wrong"), "*:*:*:*:wrong\n");
        Outcome refused = verifyWith(wrong);
        Files.delete(wrong);
        Outcome elsewhere = verify("--database", "nowhere");

        // Then
        assertThat(nowhere.status()).isEqualTo(ExitCode.CONFIG.status());
        assertThat(nowhere.err()).contains("no database that was looked at has a table called nowhere");
        assertThat(refused.status()).isEqualTo(ExitCode.CONFIG.status());
        assertThat(refused.err())
                .contains("password authentication failed")
                .contains("--passfile")
                .doesNotContain("wrong");
        assertThat(elsewhere.status()).isEqualTo(ExitCode.CONFIG.status());
        assertThat(elsewhere.err()).contains("\"nowhere\" does not exist").contains("--database");
    }

    /** Makes a table whose pages nothing will write to again; returns its file. */
    private String prepare(DemoNode primary, List<DemoNode> standbys) {
        try (PgConnection session = cluster.behind(primary)) {
            var _ = session.query(
                    "CREATE TABLE orders AS SELECT i AS id, 'order ' || lpad(i::text, 6, '0') AS words"
                            + " FROM generate_series(1, 5000) AS i",
                    SOON);
            var _ = session.query("VACUUM FREEZE orders", SOON);
            var _ = session.query("CHECKPOINT", SOON);
            String flushed =
                    session.query("SELECT pg_current_wal_flush_lsn()", SOON).single();
            for (DemoNode standby : standbys) {
                try (PgConnection there = cluster.behind(standby)) {
                    await().atMost(SOON)
                            .until(() -> there.query("SELECT pg_last_wal_replay_lsn() >= '" + flushed + "'", SOON)
                                    .single()
                                    .equals("t"));
                    var _ = there.query("CHECKPOINT", SOON);
                }
            }
            return session.query("SELECT pg_relation_filepath('orders')", SOON).single();
        }
    }

    private interface Damage {
        void happens() throws Exception;
    }

    /** One standby at a time, so that a majority stays and the primary with it. */
    private void whileStopped(DemoNode standby, Damage damage) throws Exception {
        assertThat(cluster.stop(standby)).isZero();
        damage.happens();
        cluster.start(standby);
        cluster.awaitConverged();
    }

    private static JsonNode of(JsonNode table, DemoNode node) {
        for (JsonNode one : table.path("nodes")) {
            if (one.path("node").asText().equals(node.id().value())) {
                return one;
            }
        }
        throw new AssertionError("%s is not in %s".formatted(node.id(), table));
    }

    private Outcome verify(String... arguments) {
        return verifyWith(cluster.passfile(), arguments);
    }

    private Outcome verifyWith(Path passfile, String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "verify",
                "--passfile",
                passfile.toString(),
                "--api",
                String.join(
                        ",",
                        cluster.nodes().stream().map(n -> n.api().toString()).toList())));
        all.addAll(List.of(arguments));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = QuantaDb.execute(
                new Services(
                        () -> {
                            throw new AssertionError("no node is started");
                        },
                        () -> {
                            throw new AssertionError("no authority is needed");
                        }),
                Map.of(),
                Path.of(""),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                all.toArray(String[]::new));
        return new Outcome(status, out.toString(), err.toString());
    }
}
