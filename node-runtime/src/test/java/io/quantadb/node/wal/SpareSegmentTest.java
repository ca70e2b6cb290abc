package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;

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

    @Test
    void whatNothingWasReceivedIntoIsTakenBackAndNothingElse() throws IOException {
        // Given
        assertThat(spare.keep() && spare.use(7, FORK)).isTrue();
        Path received = Files.write(pgWal.resolve("000000070000000000000051"), new byte[] {0x10, (byte) 0xD1, 0, 0});
        Path ahead = Files.write(pgWal.resolve("0000000100000000000000FF"), new byte[SEGMENT_BYTES]);
        List<String> before = names();

        // When
        spare.takeBack();

        // Then: not what PostgreSQL made ahead on its own timeline either
        assertThat(names())
                .containsExactlyInAnyOrderElementsOf(
                        before.stream().filter(name -> !name.equals(SEGMENT)).toList());
        assertThat(received).exists();
        Files.delete(ahead);
    }

    private static SpareSegment spare(ForkedServers servers) {
        return new SpareSegment(servers.follower.dataDirectory(), TestingPostgres.owner());
    }

    @ParameterizedTest
    @EnumSource
    void postgresqlReceivesTheNextTimelineIntoIt(PostgresVersion version) throws IOException {
        try (ForkedServers trio = new ForkedServers(version)) {
            // Given
            SpareSegment itsSpare = spare(trio);
            assertThat(itsSpare.keep() && itsSpare.use(2, trio.fork)).isTrue();
            Object file = Files.getAttribute(trio.segment(), "unix:ino");

            // When
            trio.follower.follow(trio.heir, "f");
            Lsn written = trio.writeMore();
            ForkedServers.awaitReplay(trio.follower, written);

            // Then
            assertThat(Files.getAttribute(trio.segment(), "unix:ino")).isEqualTo(file);
            trio.follower.kill9();
            WalEnd followed = WalReader.findEnd(trio.follower.dataDirectory());
            assertThat(followed.timeline()).isEqualTo(2);
            assertThat(followed.end()).isGreaterThanOrEqualTo(written);
        }
    }

    @ParameterizedTest
    @EnumSource
    void nobodyTakesItForWalAfterACrashBeforeAnythingWasReceived(PostgresVersion version) throws IOException {
        try (ForkedServers trio = new ForkedServers(version)) {
            // Given the file and, at the worst, the history
            trio.follower.kill9();
            Path data = trio.follower.dataDirectory();
            WalEnd end = WalReader.findEnd(data);
            SpareSegment itsSpare = spare(trio);
            assertThat(itsSpare.keep() && itsSpare.use(2, end.end())).isTrue();
            TestingWal.put(data, TimelineHistory.fileName(2), Files.readAllBytes(trio.history()));

            // When
            WalEnd again = WalReader.findEnd(data);
            itsSpare.takeBack();
            trio.follower.start();
            trio.follower.follow(trio.heir, "f");
            ForkedServers.awaitReplay(trio.follower, trio.writeMore());

            // Then
            assertThat(again.sure()).as(again.reason()).isTrue();
            assertThat(List.of(again.timeline(), again.end())).isEqualTo(List.of(1, end.end()));
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(pgWal)) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }
}
