package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.wal.RecordReader.Valid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The end that we read is compared with the one at which a real server ends its own crash recovery. */
class WalReaderTest {
    private static final Pattern REDO_DONE = Pattern.compile("redo done at ([0-9A-F]+/[0-9A-F]+)");
    private static final Pattern INVALID_LENGTH = Pattern.compile("invalid record length at ([0-9A-F]+/[0-9A-F]+)");

    private static TestingPostgres small(PostgresVersion version) {
        return TestingPostgres.create(version, "--wal-segsize=1")
                .set("max_wal_size", "2MB")
                .set("min_wal_size", "2MB")
                .set("autovacuum", "off")
                .set("checkpoint_timeout", "1h");
    }

    /** Restarts the server and says where its own recovery found the last record. */
    private static Lsn lastRecordOfRecovery(TestingPostgres server) throws IOException {
        Files.deleteIfExists(server.logFile());
        server.start();
        return find(REDO_DONE, server.log());
    }

    private static Lsn find(Pattern pattern, String log) {
        Matcher m = pattern.matcher(log);
        assertThat(m.find()).as(log).isTrue();
        return Lsn.parse(m.group(1));
    }

    @ParameterizedTest
    @EnumSource
    void agreesWithCrashRecovery(PostgresVersion version) throws IOException {
        try (TestingPostgres server = small(version).start()) {
            // Given: many small records, some of several pages, recycled segments, a switch
            server.query("CREATE TABLE t(a int, b text)");
            server.query("ALTER TABLE t ALTER b SET STORAGE EXTERNAL");
            server.query("INSERT INTO t SELECT i, repeat('x', 5000) FROM generate_series(1, 700) i");
            server.query("CHECKPOINT");
            server.query("INSERT INTO t SELECT i, repeat('y', 50) FROM generate_series(1, 3000) i");
            server.query("SELECT pg_switch_wal()");
            server.query("SELECT pg_logical_emit_message(false, 'x', repeat('z', 100000))");
            server.query("INSERT INTO t SELECT i, 'end' FROM generate_series(1, 100) i");
            Lsn flushed =
                    Lsn.parse(server.query("SELECT pg_current_wal_flush_lsn()").single());
            server.kill9();

            // When
            WalEnd end = WalReader.findEnd(server.dataDirectory());

            // Then
            assertThat(end.sure()).as(end.reason()).isTrue();
            assertThat(end.timeline()).isEqualTo(1);
            assertThat(end.end()).isGreaterThanOrEqualTo(flushed);
            assertThat(end.lastRecord()).isEqualTo(lastRecordOfRecovery(server));
            assertThat(end.end()).isEqualTo(find(INVALID_LENGTH, server.log()));
        }
    }

    @Test
    void agreesWithPgWaldump() {
        try (TestingPostgres server = small(PostgresVersion.V15).start()) {
            // Given
            server.query("CREATE TABLE t AS SELECT i, repeat('x', 500) b FROM generate_series(1, 1000) i");
            server.kill9();
            ControlFile control = ControlFile.read(server.dataDirectory());

            // When
            List<Valid> records = new ArrayList<>();
            WalEnd end = WalReader.findEnd(server.dataDirectory(), records::add);

            // Then
            String dump = waldump(server, control.checkpoint(), end.end());
            List<Lsn> starts = new ArrayList<>();
            Matcher m = Pattern.compile(", lsn: ([0-9A-F]+/[0-9A-F]+), prev").matcher(dump);
            while (m.find()) {
                starts.add(Lsn.parse(m.group(1)));
            }
            assertThat(records).extracting(Valid::start).containsExactlyElementsOf(starts);
            assertThat(end.lastRecord()).isEqualTo(starts.getLast());
        }
    }

    private static String waldump(TestingPostgres server, Lsn from, Lsn to) {
        return server.tool(
                "pg_waldump",
                "-p",
                server.dataDirectory().resolve("pg_wal").toString(),
                "-s",
                from.toString(),
                "-e",
                to.toString());
    }

    @ParameterizedTest
    @EnumSource
    void endsAtTheNextSegmentAfterASwitch(PostgresVersion version) throws IOException {
        try (TestingPostgres server = small(version).set("max_wal_size", "64MB").start()) {
            // Given: nothing was written after the switch, or the disk lost it
            server.query("SELECT pg_switch_wal()");
            server.kill9();
            List<Valid> records = new ArrayList<>();
            WalReader.findEnd(server.dataDirectory(), records::add);
            Valid theSwitch = records.stream()
                    .filter(r -> r.next().minus(r.dataEnd()) > 8)
                    .findFirst()
                    .orElseThrow();
            TestingWal.zeroFrom(server.dataDirectory(), 1, theSwitch.next());

            // When
            WalEnd end = WalReader.findEnd(server.dataDirectory());

            // Then
            assertThat(end.sure()).as(end.reason()).isTrue();
            assertThat(end.end()).isEqualTo(theSwitch.next());
            assertThat(end.end().value() % (1 << 20)).isZero();
            assertThat(end.lastRecord()).isEqualTo(theSwitch.start()).isEqualTo(lastRecordOfRecovery(server));
        }
    }

    @ParameterizedTest
    @EnumSource
    void stopsBeforeATornRecordAndReadsOverWhatTheServerMakesOfIt(PostgresVersion version) throws IOException {
        try (TestingPostgres server = small(version).start()) {
            // Given: the last record spans many pages, and the disk kept only its first ones
            server.query("CREATE TABLE t AS SELECT 1 AS a");
            server.query("SELECT pg_logical_emit_message(true, 'x', repeat('z', 100000))");
            server.kill9();
            Path data = server.dataDirectory();
            List<Valid> records = new ArrayList<>();
            WalReader.findEnd(data, records::add);
            Valid big = records.stream()
                    .filter(r -> r.dataEnd().minus(r.start()) > 90_000)
                    .findFirst()
                    .orElseThrow();
            Valid before = records.get(records.indexOf(big) - 1);
            Lsn arrived = new Lsn((big.start().value() + 40_000) & -8192L);
            TestingWal.zeroFrom(data, 1, arrived);

            // When
            WalEnd torn = WalReader.findEnd(data);

            // Then
            assertThat(torn.sure()).as(torn.reason()).isTrue();
            assertThat(torn.end()).isEqualTo(before.next());
            assertThat(torn.partialEnd()).isEqualTo(arrived);
            assertThat(torn.lastRecord()).isEqualTo(lastRecordOfRecovery(server));

            // And: the server overwrites the record that it gave up
            server.query("INSERT INTO t VALUES (2)");
            Lsn flushed =
                    Lsn.parse(server.query("SELECT pg_current_wal_flush_lsn()").single());
            server.kill9();
            WalEnd passed = WalReader.findEnd(data, 1, before.start());
            assertThat(passed.end())
                    .isGreaterThanOrEqualTo(flushed)
                    .isEqualTo(WalReader.findEnd(data).end());
            assertThat(passed.lastRecord()).isEqualTo(lastRecordOfRecovery(server));
        }
    }

    @ParameterizedTest
    @EnumSource
    void followsAStandbyThroughItsPromotion(PostgresVersion version) throws IOException {
        try (TestingPostgres primary =
                        small(version).set("wal_keep_size", "64MB").start();
                TestingPostgres standby = small(version)) {
            // Given
            primary.query("CREATE TABLE t AS SELECT 1 AS a");
            standby.set("max_connections", "100").standbyOf(primary, "s").start();
            primary.query("INSERT INTO t SELECT generate_series(1, 1000)");
            Lsn written =
                    Lsn.parse(primary.query("SELECT pg_current_wal_flush_lsn()").single());
            await().untilAsserted(() -> assertThat(Lsn.parse(
                            standby.query("SELECT pg_last_wal_replay_lsn()").single()))
                    .isGreaterThanOrEqualTo(written));

            // When: the standby dies as such
            standby.kill9();
            WalEnd asStandby = WalReader.findEnd(standby.dataDirectory());

            // Then
            assertThat(asStandby.sure()).as(asStandby.reason()).isTrue();
            assertThat(asStandby.timeline()).isEqualTo(1);
            assertThat(asStandby.end()).isGreaterThanOrEqualTo(written);

            // And: promoted, on a timeline of its own, with a placeholder beside it
            standby.start();
            standby.query("SELECT pg_promote()");
            standby.query("INSERT INTO t SELECT generate_series(1, 1000)");
            Lsn later =
                    Lsn.parse(standby.query("SELECT pg_current_wal_flush_lsn()").single());
            standby.kill9();
            TestingWal.put(standby.dataDirectory(), TimelineHistory.fileName(3), new byte[0]);
            WalEnd promoted = WalReader.findEnd(standby.dataDirectory());
            assertThat(promoted.timeline()).isEqualTo(2);
            assertThat(promoted.sure()).as(promoted.reason()).isTrue();
            assertThat(promoted.end()).isGreaterThanOrEqualTo(later);
            assertThat(promoted.lastRecord()).isEqualTo(lastRecordOfRecovery(standby));

            // And: the old primary, which wrote on alone, is not fooled by the new one's history file
            primary.query("INSERT INTO t SELECT generate_series(1, 500)");
            Lsn alone =
                    Lsn.parse(primary.query("SELECT pg_current_wal_flush_lsn()").single());
            primary.kill9();
            Path history = standby.dataDirectory().resolve("pg_wal").resolve(TimelineHistory.fileName(2));
            TestingWal.put(primary.dataDirectory(), TimelineHistory.fileName(2), Files.readAllBytes(history));
            WalEnd diverged = WalReader.findEnd(primary.dataDirectory());
            assertThat(diverged.timeline()).isEqualTo(1);
            assertThat(diverged.end()).isGreaterThanOrEqualTo(alone);
            assertThat(TimelineHistory.read(primary.dataDirectory(), 2).contains(1, diverged.lastRecord()))
                    .isFalse();
        }
    }

    @Test
    void followsAStandbyThatStreamsFromANewPrimary() {
        try (TestingPostgres old = TestingPostgres.create(PostgresVersion.V18).start();
                TestingPostgres promoted = TestingPostgres.create(PostgresVersion.V18);
                TestingPostgres follower = TestingPostgres.create(PostgresVersion.V18)) {
            // Given
            old.query("CREATE TABLE t AS SELECT 1 AS a");
            promoted.set("max_connections", "100").standbyOf(old, "p").start();
            follower.set("max_connections", "100").standbyOf(old, "f").start();
            old.query("INSERT INTO t SELECT generate_series(1, 1000)");
            Lsn before =
                    Lsn.parse(old.query("SELECT pg_current_wal_flush_lsn()").single());
            awaitReplay(promoted, before);
            awaitReplay(follower, before);
            old.kill9();
            promoted.query("SELECT pg_promote()");
            follower.kill9();
            follower.standbyOf(promoted, "f").start();
            promoted.query("INSERT INTO t SELECT generate_series(1, 1000)");
            Lsn written = Lsn.parse(
                    promoted.query("SELECT pg_current_wal_flush_lsn()").single());
            awaitReplay(follower, written);

            // When: the control file still names the checkpoint of the first timeline
            follower.kill9();
            ControlFile control = ControlFile.read(follower.dataDirectory());
            WalEnd end = WalReader.findEnd(follower.dataDirectory());

            // Then
            assertThat(control.checkpointTimeline()).isEqualTo(1);
            assertThat(end.timeline()).isEqualTo(2);
            assertThat(end.sure()).as(end.reason()).isTrue();
            assertThat(end.end()).isGreaterThanOrEqualTo(written);
            assertThat(WalReader.findEnd(follower.dataDirectory(), 1, control.checkpoint()))
                    .isEqualTo(end);
            assertThat(WalReader.findEnd(follower.dataDirectory(), 2, end.lastRecord()))
                    .isEqualTo(end);
        }
    }

    private static void awaitReplay(TestingPostgres standby, Lsn position) {
        await().atMost(TestingPostgres.WAIT)
                .untilAsserted(() -> assertThat(Lsn.parse(
                                standby.query("SELECT pg_last_wal_replay_lsn()").single()))
                        .isGreaterThanOrEqualTo(position));
    }
}
