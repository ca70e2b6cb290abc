package io.quantadb.node.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.testing.HeapBytes;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.verify.Report.Verdict;
import io.quantadb.node.verify.RowDifference.Kind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The comparison on a real primary and its standby, without agents. */
class ComparisonPostgresTest {
    private static final NodeId PRIMARY = new NodeId("p");
    private static final NodeId STANDBY = new NodeId("s");
    private static final Limits LIMITS = Limits.USUAL.at(0).waiting(Duration.ofSeconds(20));

    /** A primary and a standby that streams from it. */
    private static final class Pair implements AutoCloseable {
        private final TestingPostgres primary;
        private final TestingPostgres standby;

        Pair(PostgresVersion version) {
            // What they are copied from has one system identifier, so that one can follow the other at once.
            primary = TestingPostgres.create(version)
                    .set("max_connections", "100")
                    .set("autovacuum", "off")
                    .start();
            standby = TestingPostgres.create(version)
                    .set("max_connections", "100")
                    .set("TimeZone", "Asia/Tokyo")
                    .set("DateStyle", "German")
                    .set("bytea_output", "escape")
                    .set("extra_float_digits", "-10")
                    .set("IntervalStyle", "iso_8601")
                    .standbyOf(primary, "s")
                    .start();
        }

        void sql(String... statements) {
            try (PgConnection session = primary.connect()) {
                for (String statement : statements) {
                    var _ = session.query(statement, TestingPostgres.WAIT);
                }
            }
        }

        Report compare(Limits limits, String role) {
            Comparison.Opener opener = (node, database) -> SqlReader.open(
                    node,
                    () -> (node.equals(PRIMARY) ? primary : standby)
                            .connect(Map.of("user", role, "database", database)));
            return new Comparison(PRIMARY, List.of(STANDBY), opener, limits, Pauses.real(), Comparison.SILENT)
                    .run(List.of("postgres"), table -> true, Map.of());
        }

        Report compare() {
            return compare(LIMITS, "postgres");
        }

        /** Everything of this table is on the standby's disk, and no later write touches its pages again. */
        void settle(String table) {
            sql("VACUUM FREEZE " + table, "CHECKPOINT");
            String flushed = primary.query("SELECT pg_current_wal_flush_lsn()").single();
            await().atMost(TestingPostgres.WAIT)
                    .until(() -> standby.query("SELECT pg_last_wal_replay_lsn() >= '" + flushed + "'")
                            .single()
                            .equals("t"));
            var _ = standby.query("CHECKPOINT");
        }

        @Override
        public void close() {
            standby.close();
            primary.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void equalValuesOfAllKindsAreAlikeWhateverTheServersSettingsAre(PostgresVersion version) {
        try (Pair pair = new Pair(version)) {
            // Given
            pair.sql(
                    "CREATE TYPE pt AS (x int, y text)",
                    "CREATE TABLE kinds AS SELECT i AS n, i * 1.1::float8 AS f, i::numeric / 3 AS q,"
                            + " now() + i * interval '1 day 3 hours' AS t, i * interval '1 month 2 days' AS span,"
                            + " decode(md5(i::text), 'hex') AS b, json_build_object('a', i) AS j,"
                            + " jsonb_build_object('a', i) AS jb, ARRAY[i, NULL] AS a, ROW(i, 'y')::pt AS r,"
                            + " '10.0.0.1'::inet AS at, int4range(i, i + 5) AS span4, to_tsvector('a b') AS ts,"
                            + " '12.34'::money AS price, NULL::text AS nothing, 'pg_class'::regclass AS o"
                            + " FROM generate_series(1, 200) AS i",
                    "INSERT INTO kinds (n) SELECT generate_series(1, 2000)",
                    "CREATE TABLE big AS SELECT i, string_agg(md5((i * 1000 + k)::text), '') AS words"
                            + " FROM generate_series(1, 20) AS i, generate_series(1, 500) AS k GROUP BY i",
                    "CREATE SCHEMA \"odd \"\"schema\"",
                    "CREATE TABLE \"odd \"\"schema\".\"Odd r, \"\"Name\" (r int, \"w\" text, place text)",
                    "INSERT INTO \"odd \"\"schema\".\"Odd r, \"\"Name\" VALUES (1, 'x', NULL), (NULL, NULL, NULL)",
                    "CREATE TABLE hollow ()",
                    "INSERT INTO hollow DEFAULT VALUES",
                    "CREATE TABLE empty (a int)",
                    "CREATE UNLOGGED TABLE passing (a int)",
                    "CREATE TABLE whole (a int) PARTITION BY LIST (a)",
                    "CREATE TABLE part PARTITION OF whole FOR VALUES IN (1)",
                    "INSERT INTO whole VALUES (1), (1)",
                    "CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM big",
                    "CREATE MATERIALIZED VIEW unseen AS SELECT 1 WITH NO DATA",
                    "SELECT lo_from_bytea(0, 'abc')");

            // When
            Report report = pair.compare();

            // Then
            assertThat(report.verdict()).as("%s", report).isEqualTo(Verdict.SAME);
            assertThat(report.tables())
                    .filteredOn(TableResult::compared)
                    .extracting(result -> result.table() + " " + result.rows())
                    .contains(
                            "odd \"schema.Odd r, \"Name 2",
                            "pg_catalog.pg_largeobject 1",
                            "public.big 20",
                            "public.empty 0",
                            "public.hollow 1",
                            "public.part 2",
                            "public.kinds 2200",
                            "public.seen 1");
            assertThat(report.tables())
                    .filteredOn(result -> !result.compared())
                    .extracting(result -> result.table().name() + ": " + result.whyNot())
                    .containsExactlyInAnyOrder(
                            "passing: it is unlogged: only the primary has its rows", "unseen: it is not populated");
            assertThat(report.to().atLeast(report.from())).isTrue();
            assertThat(report.from().isNone()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void findsTheRowWhoseBytesWereChangedOnTheStandbysDisk(PostgresVersion version) throws Exception {
        try (Pair pair = new Pair(version)) {
            // Given
            pair.sql("CREATE TABLE orders AS SELECT i AS id, 'order ' || lpad(i::text, 6, '0') AS words"
                    + " FROM generate_series(1, 30000) AS i");
            pair.settle("orders");
            String file =
                    pair.primary.query("SELECT pg_relation_filepath('orders')").single();
            String place = pair.primary
                    .query("SELECT ctid FROM orders WHERE id = 20000")
                    .single();
            assertThat(pair.compare().verdict()).isEqualTo(Verdict.SAME);

            // When
            pair.standby.stop();
            HeapBytes.overwrite(pair.standby.dataDirectory(), file, "order 020000", "order 920000");
            pair.standby.start();
            Report report = pair.compare();

            // Then
            assertThat(report.verdict()).isEqualTo(Verdict.DIFFERENT);
            TableResult orders = report.tables().getFirst();
            assertThat(orders.rows()).isEqualTo(30000);
            Finding finding =
                    orders.nodes().get(STANDBY).findings().stream().findFirst().orElseThrow();
            boolean checksums =
                    pair.primary.query("SHOW data_checksums").single().equals("on");
            if (checksums) {
                assertThat(finding).isInstanceOfSatisfying(Finding.Unreadable.class, unreadable -> {
                    assertThat(unreadable.words()).contains("invalid page");
                    assertThat(place).startsWith("(" + unreadable.range().from() + ",");
                    assertThat(unreadable.range().to())
                            .isEqualTo(unreadable.range().from() + 1);
                });
            } else {
                assertThat(finding)
                        .isInstanceOfSatisfying(
                                Finding.Rows.class,
                                rows -> assertThat(rows.rows()).singleElement().satisfies(row -> {
                                    assertThat(row.place()).hasToString(place);
                                    assertThat(row.kind()).isEqualTo(Kind.CHANGED);
                                }));
            }
            assertThat(orders.nodes().get(STANDBY).findings()).hasSize(1);
            assertThat(orders.nodes().get(PRIMARY).same()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void seesNoDifferenceWhileRowsAreWrittenAndVacuumed(PostgresVersion version) {
        try (Pair pair = new Pair(version)) {
            // Given
            pair.sql(
                    "CREATE TABLE hot (id int PRIMARY KEY, n bigint) WITH (fillfactor = 50)",
                    "INSERT INTO hot SELECT i, 0 FROM generate_series(1, 200) AS i",
                    "CREATE TABLE queue (id bigint GENERATED ALWAYS AS IDENTITY, words text)");
            AtomicBoolean stop = new AtomicBoolean();
            List<CompletableFuture<Void>> writers = List.of(
                    CompletableFuture.runAsync(() -> write(pair, stop, 1)),
                    CompletableFuture.runAsync(() -> write(pair, stop, 2)),
                    CompletableFuture.runAsync(() -> write(pair, stop, 3)));

            // When
            try {
                for (int i = 0; i < 4; i++) {
                    Report report = pair.compare();

                    // Then
                    assertThat(report.verdict()).as("%s", report).isEqualTo(Verdict.SAME);
                }
            } finally {
                stop.set(true);
            }
            writers.forEach(CompletableFuture::join);
            assertThat(pair.compare().verdict()).isEqualTo(Verdict.SAME);
        }
    }

    /** Updates, inserts, deletes, rolls back, locks, vacuums; every second commit is one that nobody waits for. */
    private static void write(Pair pair, AtomicBoolean stop, int seed) {
        Random random = new Random(seed);
        try (PgConnection session = pair.primary.connect()) {
            while (!stop.get()) {
                int id = 1 + random.nextInt(200);
                String way = random.nextBoolean() ? "on" : "off";
                String sql = switch (random.nextInt(6)) {
                    case 0, 1 -> "UPDATE hot SET n = n + 1 WHERE id = " + id;
                    case 2 -> "INSERT INTO queue (words) SELECT md5(random()::text) FROM generate_series(1, 20)";
                    case 3 -> "DELETE FROM queue WHERE id IN (SELECT id FROM queue ORDER BY id LIMIT 15)";
                    case 4 -> "SELECT 1 FROM hot WHERE id = " + id + " FOR UPDATE";
                    default -> "SAVEPOINT a; UPDATE hot SET n = -1 WHERE id = " + id + "; ROLLBACK TO a";
                };
                try {
                    var _ = session.queryAll(
                            "BEGIN; SET LOCAL synchronous_commit = %s; %s; COMMIT".formatted(way, sql),
                            TestingPostgres.WAIT);
                    if (random.nextInt(50) == 0) {
                        var _ = session.query("VACUUM queue", TestingPostgres.WAIT);
                    }
                } catch (PgError e) {
                    // Two writers in each other's way: a deadlock, or a vacuum beside another.
                    var _ = session.query("ROLLBACK", TestingPostgres.WAIT);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCommitThatNobodyAcknowledgesIsInDoubtAndNotDifferent(PostgresVersion version) {
        try (Pair pair = new Pair(version)) {
            // Given
            pair.sql(
                    "CREATE TABLE waiting AS SELECT 1 AS id, 0 AS n",
                    "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
                    "SELECT pg_reload_conf()");
            AtomicBoolean stop = new AtomicBoolean();
            try (PgConnection session = pair.primary.connect()) {
                CompletableFuture<Void> commits = CompletableFuture.runAsync(() -> {
                    while (!stop.get()) {
                        var _ = session.query("UPDATE waiting SET n = n + 1", TestingPostgres.WAIT);
                    }
                });
                // The server takes the setting up at a moment of its own; from then on the next commit waits.
                await().until(() -> "SyncRep"
                        .equals(pair.primary
                                .query("SELECT wait_event FROM pg_stat_activity WHERE pid = " + session.backendPid())
                                .singleOrNull()));
                long shown = number(pair.primary, "SELECT n FROM waiting");
                await().until(() -> number(pair.standby, "SELECT n FROM waiting") == shown + 1);

                // When
                Report inDoubt = pair.compare(LIMITS.waiting(Duration.ofSeconds(3)), "postgres");
                stop.set(true);
                pair.sql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()");
                commits.join();
                Report after = pair.compare();

                // Then
                assertThat(inDoubt.verdict()).as("%s", inDoubt).isEqualTo(Verdict.INCOMPLETE);
                assertThat(inDoubt.tables().getFirst().nodes().get(STANDBY).open())
                        .singleElement()
                        .asString()
                        .contains("could not be proven");
                assertThat(after.verdict()).isEqualTo(Verdict.SAME);
            }
        }
    }

    private static long number(TestingPostgres server, String sql) {
        return Long.parseLong(server.query(sql).single());
    }

    @ParameterizedTest
    @EnumSource
    void saysThatAStandbyDoesNotReplayAndThatARoleMayNotRead(PostgresVersion version) {
        try (Pair pair = new Pair(version)) {
            // Given
            pair.sql(
                    "CREATE ROLE reader LOGIN",
                    "CREATE TABLE shown AS SELECT 1 AS a",
                    "CREATE TABLE secret AS SELECT 1 AS a",
                    "GRANT SELECT ON shown TO reader");
            // Or the standby knows no such role yet.
            pair.settle("shown");

            // When
            Report asReader = pair.compare(LIMITS, "reader");
            var _ = pair.standby.query("SELECT pg_wal_replay_pause()");
            pair.sql("INSERT INTO shown VALUES (2)");
            Report paused = pair.compare(LIMITS.waiting(Duration.ofSeconds(1)), "postgres");

            // Then
            assertThat(asReader.verdict()).isEqualTo(Verdict.INCOMPLETE);
            assertThat(asReader.tables().getFirst().nodes().get(PRIMARY).open())
                    .containsExactly("permission denied for table secret");
            assertThat(asReader.tables().get(1).nodes().get(STANDBY).same()).isTrue();
            assertThat(paused.verdict()).isEqualTo(Verdict.INCOMPLETE);
            assertThat(paused.absent().get(STANDBY)).contains("is its replay paused?");
        }
    }
}
