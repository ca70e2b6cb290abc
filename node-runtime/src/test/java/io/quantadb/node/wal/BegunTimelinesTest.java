package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BegunTimelinesTest {
    private static final int SEGMENT_BYTES = 1 << 20;
    private static final Lsn FORK = Lsn.parse("0/5080100");
    private static final int FORK_OFFSET = 0x80100;
    private static final String OLDER = "000000010000000000000050";
    private static final String YOUNGER = "000000070000000000000050";

    private TestingPostgres server;
    private byte[] wal;

    @BeforeAll
    void create() {
        server = TestingPostgres.create(PostgresVersion.V15, "--wal-segsize=1");
        wal = new byte[SEGMENT_BYTES];
        new SplittableRandom(7).nextBytes(wal);
    }

    @AfterEach
    void remove() throws IOException {
        for (String name : new String[] {OLDER, YOUNGER, TimelineHistory.fileName(7)}) {
            Files.deleteIfExists(file(name));
        }
    }

    @AfterAll
    void end() {
        server.close();
    }

    private Path file(String name) {
        return server.dataDirectory().resolve("pg_wal").resolve(name);
    }

    private void put(String name, byte[] bytes) throws IOException {
        TestingWal.put(server.dataDirectory(), name, bytes);
    }

    private void history(Lsn fork) throws IOException {
        put(TimelineHistory.fileName(7), "1\t%s\tno reason\n".formatted(fork).getBytes(StandardCharsets.US_ASCII));
    }

    /** The first bytes of the older file, and zeros. */
    private byte[] begun(int bytes) {
        return Arrays.copyOf(Arrays.copyOf(wal, bytes), SEGMENT_BYTES);
    }

    private boolean isRemoved() {
        boolean said = new BegunTimelines(server.dataDirectory()).remove().contains(YOUNGER);
        assertThat(Files.exists(file(YOUNGER))).isNotEqualTo(said);
        return said;
    }

    @Test
    void aCopyThatDoesNotReachTheForkIsRemoved() throws IOException {
        // Given
        history(FORK);
        put(OLDER, wal);
        put(YOUNGER, begun(0x20000));

        // Then
        assertThat(isRemoved()).isTrue();
        assertThat(file(OLDER)).hasBinaryContent(wal);
    }

    @Test
    void oneThatHasAPageNotOnDiskIsRemovedToo() throws IOException {
        // Given a crash of the machine, after which a page in the middle was never written
        byte[] hole = begun(FORK_OFFSET);
        Arrays.fill(hole, 0x2000, 0x4000, (byte) 0);
        history(FORK);
        put(OLDER, wal);
        put(YOUNGER, hole);

        // Then
        assertThat(isRemoved()).isTrue();
    }

    @Test
    void oneThatReachesTheForkStays() throws IOException {
        // Given
        history(FORK);
        put(OLDER, wal);
        put(YOUNGER, begun(FORK_OFFSET));

        // Then
        assertThat(isRemoved()).isFalse();
    }

    @Test
    void oneThatHasWhatTheOlderFileLacksStays() throws IOException {
        // Given
        byte[] more = begun(FORK_OFFSET - 1);
        history(FORK);
        put(OLDER, begun(0x20000));
        put(YOUNGER, more);

        // Then
        assertThat(isRemoved()).isFalse();
    }

    @Test
    void oneThatDiffersStays() throws IOException {
        // Given
        byte[] other = begun(0x20000);
        other[5] = (byte) (other[5] ^ 0x55);
        history(FORK);
        put(OLDER, wal);
        put(YOUNGER, other);

        // Then
        assertThat(isRemoved()).isFalse();
    }

    @Test
    void oneWhoseOlderFileIsGoneOrWhoseHistoryIsUnknownStays() throws IOException {
        // Given
        history(FORK);
        put(YOUNGER, begun(0x20000));
        assertThat(isRemoved()).as("no older file").isFalse();

        // When
        put(OLDER, wal);
        history(Lsn.parse("0/4F00000"));
        assertThat(isRemoved()).as("forked off in an earlier segment").isFalse();
        TestingWal.put(server.dataDirectory(), TimelineHistory.fileName(7), new byte[0]);

        // Then
        assertThat(isRemoved()).as("no history").isFalse();
    }

    /** Also that PostgreSQL needs it: a version that does not will say so here. */
    @ParameterizedTest
    @EnumSource
    void letsAServerStartThatEndedAmidTheCopy(PostgresVersion version) throws IOException {
        try (ForkedServers servers = new ForkedServers(version)) {
            // Given a receiver that ended one page before the fork
            servers.follower.kill9();
            Path data = servers.follower.dataDirectory();
            WalLayout layout = WalLayout.of(ControlFile.read(data));
            Path older = data.resolve("pg_wal").resolve(layout.fileName(1, layout.segmentOf(servers.fork)));
            int copied = layout.offsetInSegment(layout.pageStart(servers.fork));
            byte[] begun = Arrays.copyOf(Arrays.copyOf(Files.readAllBytes(older), copied), layout.segmentBytes());
            TestingWal.put(data, TimelineHistory.fileName(2), Files.readAllBytes(servers.history()));
            TestingWal.put(data, String.valueOf(servers.segment().getFileName()), begun);
            WalEnd before = WalReader.findEnd(data);
            servers.follower.launch();
            await("PostgreSQL ends by itself")
                    .atMost(TestingPostgres.WAIT)
                    .until(() ->
                            servers.follower.log().contains("but previous recovered WAL file came from timeline 2"));
            servers.follower.kill9();

            // When
            var removed = new BegunTimelines(data).remove();
            WalEnd after = WalReader.findEnd(data);
            servers.follower.start();
            servers.follower.follow(servers.heir, "f");
            ForkedServers.awaitReplay(servers.follower, servers.writeMore());

            // Then
            assertThat(removed).containsExactly(String.valueOf(servers.segment().getFileName()));
            assertThat(after).isEqualTo(before);
        }
    }
}
