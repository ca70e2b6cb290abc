package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SpareSegmentTest {
    private static final Lsn FORK = Lsn.parse("0/501EF28");
    private static final int SEGMENT_BYTES = 1 << 20;
    private static final String SEGMENT = "000000070000000000000050";

    private TestingPostgres server;
    private Path pgWal;
    private SpareSegment spare;

    @BeforeAll
    void create() {
        server = TestingPostgres.create(PostgresVersion.V15, "--wal-segsize=1");
        pgWal = server.dataDirectory().resolve("pg_wal");
        spare = new SpareSegment(server.dataDirectory(), TestingPostgres.owner());
    }

    @AfterEach
    void remove() throws IOException {
        for (String name : names()) {
            if (name.startsWith(SpareSegment.NAME) || name.startsWith("00000007")) {
                Files.delete(pgWal.resolve(name));
            }
        }
    }

    @AfterAll
    void end() {
        server.close();
    }

    @Test
    void isGivenAwayOnceAsTheSegmentInWhichTheTimelineBegins() throws IOException {
        // Given
        assertThat(spare.keep()).isTrue();
        assertThat(spare.keep()).as("there already").isTrue();

        // When
        boolean used = spare.use(7, FORK);
        boolean again = spare.use(8, FORK);

        // Then
        assertThat(used).isTrue();
        assertThat(again).as("there is none any more").isFalse();
        Path segment = pgWal.resolve(SEGMENT);
        assertThat(Files.size(segment)).isEqualTo(SEGMENT_BYTES);
        assertThat(Files.readAllBytes(segment)).containsOnly(0);
        assertThat(names()).contains(SEGMENT).noneMatch(name -> name.startsWith("00000008"));
        assertThat(names()).noneMatch(name -> name.startsWith(SpareSegment.NAME));
    }

    @Test
    void neverTakesThePlaceOfASegmentThatIsThere() throws IOException {
        // Given
        Path segment = Files.writeString(pgWal.resolve(SEGMENT), "what was received");
        spare.keep();

        // When
        boolean used = spare.use(7, FORK);

        // Then
        assertThat(used).isFalse();
        assertThat(segment).hasContent("what was received");
        assertThat(names()).as("kept for the next time").contains(SpareSegment.NAME);
    }

    @Test
    void isMadeAnewAfterACrashBetweenItsTwoNames() throws IOException {
        // Given what a crash in the middle of giving it away leaves behind
        spare.keep();
        Path half = Files.move(pgWal.resolve(SpareSegment.NAME), pgWal.resolve(SpareSegment.NAME + ".new"));
        Path given = Files.createLink(pgWal.resolve(SEGMENT), half);

        // When
        spare.keep();
        Files.writeString(given, "received WAL");

        // Then: no file bears both names
        assertThat(Files.size(pgWal.resolve(SpareSegment.NAME))).isEqualTo(SEGMENT_BYTES);
        assertThat(names()).doesNotContain(SpareSegment.NAME + ".new");
    }

    @Test
    void oneThatIsNotWholeIsNotUsed() throws IOException {
        // Given
        Files.writeString(pgWal.resolve(SpareSegment.NAME), "short");

        // When
        boolean used = spare.use(7, FORK);

        // Then
        assertThat(used).isFalse();
        assertThat(names()).doesNotContain(SEGMENT);
    }

    @ParameterizedTest
    @EnumSource
    void postgresqlReceivesTheNextTimelineIntoItAndNobodyTakesItForWalBefore(PostgresVersion version)
            throws IOException {
        try (TestingPostgres old = TestingPostgres.create(version).start();
                TestingPostgres promoted = TestingPostgres.create(version);
                TestingPostgres follower = TestingPostgres.create(version)) {
            // Given a standby that has ended on the old timeline
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
            Path data = follower.dataDirectory();
            WalEnd end = WalReader.findEnd(data);

            // When it has the file and, at the worst, the history, but nothing was received into the file
            SpareSegment itsSpare = new SpareSegment(data, TestingPostgres.owner());
            assertThat(itsSpare.keep() && itsSpare.use(2, end.end())).isTrue();
            String history = TimelineHistory.fileName(2);
            TestingWal.put(
                    data,
                    history,
                    Files.readAllBytes(
                            promoted.dataDirectory().resolve("pg_wal").resolve(history)));
            WalLayout layout = WalLayout.of(ControlFile.read(data));
            Path segment = data.resolve("pg_wal").resolve(layout.fileName(2, layout.segmentOf(end.end())));
            Object file = Files.getAttribute(segment, "unix:ino");
            WalEnd again = WalReader.findEnd(data);
            follower.standbyOf(promoted, "f").start();
            promoted.query("INSERT INTO t SELECT generate_series(1, 1000)");
            Lsn written = Lsn.parse(
                    promoted.query("SELECT pg_current_wal_flush_lsn()").single());
            awaitReplay(follower, written);

            // Then
            assertThat(again.sure()).as(again.reason()).isTrue();
            assertThat(List.of(again.timeline(), again.end())).isEqualTo(List.of(1, end.end()));
            assertThat(Files.getAttribute(segment, "unix:ino"))
                    .as("received into the file that was prepared")
                    .isEqualTo(file);
            follower.kill9();
            WalEnd followed = WalReader.findEnd(data);
            assertThat(followed.timeline()).isEqualTo(2);
            assertThat(followed.end()).isGreaterThanOrEqualTo(written);
        }
    }

    private static void awaitReplay(TestingPostgres standby, Lsn position) {
        await().atMost(TestingPostgres.WAIT)
                .untilAsserted(() -> assertThat(Lsn.parse(
                                standby.query("SELECT pg_last_wal_replay_lsn()").single()))
                        .isGreaterThanOrEqualTo(position));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(pgWal)) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }
}
