package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.wal.RecordReader.Valid;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a crash or a bad disk does to the tail, the answer never goes past the first byte that is not what it was. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class WalReaderFuzzTest {
    private static final int SEGMENT_BYTES = 1 << 20;
    private static final int NOISE = 0;
    private static final int ZEROES = 1;
    private static final int TRUNCATE = 2;

    @TempDir
    private static Path dir;

    private final List<Valid> records = new ArrayList<>();
    private final List<Undo> undo = new ArrayList<>();
    private WalEnd whole;

    private record Undo(Path file, byte[] content) {}

    @BeforeAll
    void writeSomeWal() throws IOException {
        try (TestingPostgres server = TestingPostgres.create(PostgresVersion.V18, "--wal-segsize=1")
                .set("checkpoint_timeout", "1h")
                .set("max_wal_size", "64MB")
                .start()) {
            server.query("CREATE TABLE t AS SELECT i, repeat('x', i % 700) b FROM generate_series(1, 2000) i");
            server.query("SELECT pg_switch_wal()");
            server.query("SELECT pg_logical_emit_message(true, 'x', repeat('z', 50000))");
            server.query("INSERT INTO t SELECT i, 'end' FROM generate_series(1, 100) i");
            server.kill9();
            TestingWal.copy(server.dataDirectory(), dir);
        }
        whole = WalReader.findEnd(dir, records::add);
        assertThat(whole.sure()).isTrue();
    }

    static LongStream seeds() {
        return LongStream.range(0, 60);
    }

    @AfterEach
    void restore() throws IOException {
        for (Undo saved : undo.reversed()) {
            Files.write(saved.file(), saved.content());
        }
        undo.clear();
    }

    private Path save(long segment) throws IOException {
        Path file = dir.resolve("pg_wal")
                .resolve(WalLayout.of(ControlFile.read(dir)).fileName(1, segment));
        undo.add(new Undo(file, Files.readAllBytes(file)));
        return file;
    }

    /** The end that is right when nothing at or after {@code position} can be believed. */
    private Lsn endBefore(Lsn position) {
        return records.stream()
                .filter(r -> r.dataEnd().compareTo(position) <= 0)
                .reduce((a, b) -> b)
                .map(Valid::next)
                .orElse(records.getFirst().start());
    }

    private Lsn anyPosition(SplittableRandom random) {
        long from = records.getFirst().start().value();
        return new Lsn(random.nextLong(from, records.getLast().dataEnd().value()));
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void aTailOfNoiseOrNothingEndsWithTheLastWholeRecord(long seed) throws IOException {
        // Given
        SplittableRandom random = new SplittableRandom(seed);
        Lsn from = anyPosition(random);
        int kind = random.nextInt(3); // of a truncated file PostgreSQL, too, reads whole pages only
        long last = whole.end().value() / SEGMENT_BYTES;
        for (long segment = from.value() / SEGMENT_BYTES; segment <= last; segment++) {
            Path file = save(segment);
            int offset = segment == from.value() / SEGMENT_BYTES ? (int) (from.value() % SEGMENT_BYTES) : 0;
            spoil(file, offset, kind, random);
        }

        // When
        WalEnd end = WalReader.findEnd(dir);

        // Then
        Lsn believable = kind == TRUNCATE ? new Lsn(from.value() & -8192L) : from;
        assertThat(end.end()).as(end.reason()).isEqualTo(endBefore(believable));
    }

    private static void spoil(Path file, int offset, int kind, SplittableRandom random) throws IOException {
        byte[] noise = new byte[SEGMENT_BYTES - offset];
        switch (kind) {
            case NOISE -> random.nextBytes(noise);
            case ZEROES -> {}
            default -> {
                try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
                    open.setLength(offset);
                }
                return;
            }
        }
        // A byte that happens to stay what it was would not be the first wrong one.
        noise[0] = (byte) ~Files.readAllBytes(file)[offset];
        TestingWal.write(file, offset, noise);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void aFlippedBitEndsWithTheRecordBeforeIt(long seed) throws IOException {
        // Given
        SplittableRandom random = new SplittableRandom(seed);
        Lsn at = anyPosition(random);
        int bit = 1 << random.nextInt(8);
        Path file = save(at.value() / SEGMENT_BYTES);
        int offset = (int) (at.value() % SEGMENT_BYTES);
        TestingWal.write(file, offset, new byte[] {(byte) (Files.readAllBytes(file)[offset] ^ bit)});
        boolean inRecord = records.stream()
                .anyMatch(r -> at.atLeast(r.start()) && at.compareTo(r.dataEnd()) < 0 && at.value() % 8192 >= 40);

        // When
        WalEnd end = WalReader.findEnd(dir);

        // Then: what is not covered by a checksum (padding, some of a page header) may change nothing
        if (inRecord) {
            assertThat(end.end()).as(end.reason()).isEqualTo(endBefore(at));
        } else {
            assertThat(end.end()).isIn(endBefore(at), whole.end());
        }
    }

    @Test
    void isNotSureWhenWalGoesOnAfterDamage() throws IOException {
        // Given
        Valid early = records.get(5);
        long segment = early.start().value() / SEGMENT_BYTES;
        TestingWal.write(save(segment), (int) (early.start().value() % SEGMENT_BYTES) + 20, new byte[] {1, 2, 3, 4});

        // When
        WalEnd end = WalReader.findEnd(dir);

        // Then
        assertThat(whole.end().value() / SEGMENT_BYTES).isGreaterThan(segment);
        assertThat(end.sure()).isFalse();
        assertThat(end.reason()).contains("damaged before its end");
    }

    @Test
    void isNotSureWhenTheFirstSegmentIsGone() throws IOException {
        // Given
        Files.delete(save(records.getFirst().start().value() / SEGMENT_BYTES));

        // When
        WalEnd end = WalReader.findEnd(dir);

        // Then
        assertThat(end.sure()).isFalse();
        assertThat(end.reason()).contains("there is no segment file");
    }
}
