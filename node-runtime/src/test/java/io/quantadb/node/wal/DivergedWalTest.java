package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.wal.DivergedWal.Lost;
import io.quantadb.node.wal.DivergedWal.Saved;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DivergedWalTest {
    private static final int SEGMENT = 1 << 20;
    private static final LongUnaryOperator ALL = LongUnaryOperator.identity();
    private static final Instant NOW = Instant.parse("2026-11-21T14:45:01Z");

    @TempDir
    private Path dir;

    private Path data;

    /** Segments 2 to 5 of timeline 1, and 6 to 7 of timeline 2; 8 was prepared and never begun. */
    @BeforeEach
    void fill() throws IOException {
        data = dir.resolve("data");
        Files.createDirectories(data.resolve("global"));
        Files.createDirectories(data.resolve("pg_wal"));
        Files.write(data.resolve("global/pg_control"), control());
        for (int segment = 2; segment <= 8; segment++) {
            byte[] bytes = new byte[SEGMENT];
            Arrays.fill(bytes, (byte) segment);
            Files.write(data.resolve("pg_wal").resolve(name(segment > 5 ? 2 : 1, segment)), bytes);
        }
        Files.writeString(data.resolve("pg_wal/00000002.history"), "1\t0/600000\tno recovery target specified\n");
        Files.writeString(data.resolve("pg_wal/00000003.history"), "");
    }

    @Test
    void keepsTheSegmentsFromTheForkOnAndTheHistoryOfTheirTimelines() throws IOException {
        // Given
        DivergedWal kept = kept(100, ALL);

        // When
        Saved saved = save(kept, 4, 7, NOW);

        // Then
        assertThat(names(saved.folder()))
                .containsExactlyInAnyOrder(
                        "00000001" + "00000000" + "00000004",
                        "00000001" + "00000000" + "00000005",
                        "00000002" + "00000000" + "00000006",
                        "00000002" + "00000000" + "00000007",
                        "00000002.history",
                        "about.txt");
        assertThat(Files.readAllBytes(saved.folder().resolve(name(1, 5))))
                .containsOnly(5)
                .hasSize(SEGMENT);
        assertThat(saved.segments()).isEqualTo(4);
        assertThat(saved.bytes()).isEqualTo(4L * SEGMENT);
        assertThat(Files.getPosixFilePermissions(saved.folder()))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        assertThat(Files.getPosixFilePermissions(saved.folder().resolve(name(1, 5))))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void listsWhatItKeptTheNewestFirstAlsoAfterARestart() {
        // Given
        Saved first = save(kept(100, ALL), 3, 4, NOW);
        Saved second = save(kept(100, ALL), 5, 5, NOW.plusSeconds(60));

        // When
        List<Saved> listed = kept(100, ALL).list();

        // Then
        assertThat(listed).containsExactly(second, first);
    }

    @Test
    void removesTheOldestWhereAllTogetherWouldBeTooMuch() {
        // Given room for five segments
        DivergedWal kept = kept(5, ALL);
        save(kept, 2, 3, NOW);
        Saved second = save(kept, 4, 5, NOW.plusSeconds(1));

        // When
        Saved third = save(kept, 3, 5, NOW.plusSeconds(2));

        // Then
        assertThat(kept.list()).containsExactly(third, second);
    }

    @Test
    void keepsTheBeginningOfWhatIsLongerThanItMayBe() throws IOException {
        // Given
        DivergedWal kept = kept(2, ALL);

        // When
        Saved saved = save(kept, 3, 7, NOW);

        // Then
        assertThat(saved.segments()).isEqualTo(2);
        assertThat(saved.ofSegments()).isEqualTo(5);
        assertThat(names(saved.folder())).startsWith(name(1, 3), name(1, 4)).doesNotContain(name(1, 5));
    }

    @Test
    void takesOnlyItsShareOfWhatIsFreeAndNothingWhereThatIsNoSegment() throws IOException {
        // When
        Saved two = save(kept(100, free -> 2L * SEGMENT + 5), 3, 7, NOW);
        Saved none = kept(100, free -> SEGMENT - 1).save(data, lost(3, 7), NOW.plusSeconds(1));

        // Then
        assertThat(two.segments()).isEqualTo(2);
        assertThat(none).isNull();
        assertThat(names(dir.resolve("kept")))
                .containsExactly(two.folder().getFileName().toString());
    }

    @Test
    void keepsNoMoreThanEight() {
        // Given
        DivergedWal kept = kept(100, ALL);

        // When
        for (int i = 0; i < 11; i++) {
            save(kept, 3, 3, NOW.plusSeconds(i));
        }

        // Then
        assertThat(kept.list())
                .hasSize(DivergedWal.COUNT_MAX)
                .first()
                .satisfies(saved -> assertThat(saved.at()).isEqualTo(NOW.plusSeconds(10)));
    }

    @Test
    void twoOfOneSecondDoNotDisturbEachOther() {
        // Given
        DivergedWal kept = kept(100, ALL);

        // When
        Saved one = save(kept, 3, 3, NOW);
        Saved other = save(kept, 3, 3, NOW);

        // Then
        assertThat(one.folder()).isNotEqualTo(other.folder());
        assertThat(kept.list()).hasSize(2);
    }

    @Test
    void whatWasCutShortIsNeverListedAndIsRemovedByTheNext() throws IOException {
        // Given
        Path cutShort = Files.createDirectories(dir.resolve("kept/20261121T000000Z-timeline1-0_1.unfinished"));
        Files.write(cutShort.resolve(name(1, 3)), new byte[] {1});
        DivergedWal kept = kept(100, ALL);
        assertThat(kept.list()).isEmpty();

        // When
        Saved saved = save(kept, 3, 3, NOW);

        // Then
        assertThat(cutShort).doesNotExist();
        assertThat(kept.list()).containsExactly(saved);
    }

    @Test
    void whereNothingWasEverKeptThereIsNothingToList() {
        assertThat(kept(100, ALL).list()).isEmpty();
    }

    private DivergedWal kept(int segments, LongUnaryOperator share) {
        return new DivergedWal(dir.resolve("kept"), (long) segments * SEGMENT, share);
    }

    private Saved save(DivergedWal kept, int fromSegment, int toSegment, Instant now) {
        return Objects.requireNonNull(kept.save(data, lost(fromSegment, toSegment), now));
    }

    /** From the middle of one segment to the middle of the other. */
    private static Lost lost(int fromSegment, int toSegment) {
        return new Lost(
                new Lsn((long) fromSegment * SEGMENT + 4096),
                toSegment > 5 ? 2 : 1,
                new Lsn((long) toSegment * SEGMENT + 8192),
                7);
    }

    private static String name(int timeline, int segment) {
        return "%08X%08X%08X".formatted(timeline, 0, segment);
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    /** Of PostgreSQL 15, with segments of 1 MiB. */
    private static byte[] control() {
        ByteBuffer out = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(0, 42).putInt(8, 1300).putInt(12, 202209061).putInt(16, 1);
        out.putLong(32, 1L << 21)
                .putLong(40, 1L << 21)
                .putInt(48, 1)
                .putInt(224, 8192)
                .putInt(228, SEGMENT);
        CRC32C crc = new CRC32C();
        crc.update(out.array(), 0, 288);
        out.putInt(288, (int) crc.getValue());
        return out.array();
    }
}
