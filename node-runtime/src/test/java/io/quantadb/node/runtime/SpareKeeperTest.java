package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.wal.SpareSegment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SpareKeeperTest {
    private static final Lsn FORK = Lsn.parse("0/501EF28");
    private static final String SEGMENT = "000000070000000000000050";
    private static final String SPARE = "quantadb.spare";

    private TestingPostgres server;
    private Path pgWal;
    private SpareSegment spare;
    private final AtomicLong now = new AtomicLong();

    @BeforeAll
    void create() {
        server = TestingPostgres.create(PostgresVersion.V15, "--wal-segsize=1");
        pgWal = server.dataDirectory().resolve("pg_wal");
        spare = new SpareSegment(server.dataDirectory(), TestingPostgres.owner());
    }

    @AfterEach
    void remove() throws IOException {
        Files.deleteIfExists(pgWal.resolve(SEGMENT));
        Files.deleteIfExists(pgWal.resolve(SPARE));
    }

    @AfterAll
    void end() {
        server.close();
    }

    /** The time goes on by a millisecond at every look. */
    private SpareKeeper keeper(Supplier<Lsn> replayed) {
        return new SpareKeeper(
                spare,
                () -> true,
                replayed,
                () -> now.addAndGet(Duration.ofMillis(1).toNanos()));
    }

    @Test
    void givesTheSpareToAServerThatHasAppliedEverythingUpToTheFork() throws InterruptedException {
        // Given
        spare.keep();

        // When
        keeper(() -> FORK).expect(7, FORK, () -> true);

        // Then
        assertThat(pgWal.resolve(SEGMENT)).exists();
    }

    @Test
    void waitsForTheLastOfTheOlderTimelineAndForAServerThatIsBeingStarted() throws InterruptedException {
        // Given: it is not there yet, then it is a record behind, then it has it
        spare.keep();
        AtomicInteger looks = new AtomicInteger();
        SpareKeeper keeper = keeper(() -> {
            assertThat(pgWal.resolve(SEGMENT)).doesNotExist();
            return switch (looks.incrementAndGet()) {
                case 1 -> throw new LocalFault("no server takes connections");
                case 2 -> Lsn.parse("0/501EF20");
                default -> FORK;
            };
        });

        // When
        keeper.expect(7, FORK, () -> true);

        // Then
        assertThat(looks).hasValue(3);
        assertThat(pgWal.resolve(SEGMENT)).exists();
    }

    @Test
    void aTimelineThatIsNotWantedAnyMoreIsNotPreparedFor() throws InterruptedException {
        // Given
        spare.keep();
        AtomicInteger looks = new AtomicInteger();
        SpareKeeper keeper = keeper(() -> {
            looks.incrementAndGet();
            return Lsn.NONE;
        });

        // When
        keeper.expect(7, FORK, () -> looks.get() < 4);

        // Then
        assertThat(looks).hasValue(4);
        assertThat(pgWal.resolve(SEGMENT)).doesNotExist();
        assertThat(pgWal.resolve(SPARE)).exists();
    }

    @Test
    void aServerThatNeverGetsThereIsGivenNothing() throws InterruptedException {
        // Given: each look takes four seconds, and sleeps in between a part of what went by
        spare.keep();
        AtomicInteger looks = new AtomicInteger();
        SpareKeeper keeper = keeper(() -> {
            looks.incrementAndGet();
            now.addAndGet(Duration.ofSeconds(4).toNanos());
            return Lsn.NONE;
        });

        // When
        keeper.expect(7, FORK, () -> true);

        // Then
        assertThat(looks).hasValueBetween(2, 4);
        assertThat(pgWal.resolve(SEGMENT)).doesNotExist();
    }

    @Test
    void makesNoneBeforeAFailoverIsSurelyOver() throws InterruptedException {
        // Given one that was just given away
        spare.keep();
        SpareKeeper keeper = keeper(() -> FORK);
        keeper.expect(7, FORK, () -> true);

        // When
        keeper.keep();

        // Then
        assertThat(pgWal.resolve(SPARE)).doesNotExist();
        now.addAndGet(Duration.ofSeconds(2).toNanos());
        keeper.keep();
        assertThat(pgWal.resolve(SPARE)).exists();
    }
}
