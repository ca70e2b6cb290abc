package io.quantadb.node.raftlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raft.EntryKind;
import io.quantadb.node.raft.HardState;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class RaftStorageTest {
    private static final PeerId SELF = new PeerId(new NodeId("a"), 7);
    private static final int SEGMENT = 8 * 1024;

    @TempDir
    Path directory;

    private long writeId;

    @Test
    void givesBackWhatWasWrittenWithTruncationAcrossSegments() {
        // Given
        List<LogEntry> expected = new ArrayList<>();
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            for (int i = 1; i <= 100; i++) {
                s.write(entries(0, entry(i, 1, 300)));
                expected.add(entry(i, 1, 300));
            }
            s.write(new DiskWrite(
                    ++writeId, new HardState(2, SELF, false), null, false, 60, List.of(entry(60, 2, 5)), 0));
        }

        // When
        RaftRestored found = reopened();

        // Then
        List<LogEntry> kept = new ArrayList<>(expected.subList(0, 59));
        kept.add(entry(60, 2, 5));
        assertThat(found).isEqualTo(new RaftRestored(new HardState(2, SELF, false), null, kept));
    }

    @Test
    void dropsOldSegmentsBehindASnapshotAndNothingElse() throws IOException {
        // Given
        Snapshot snapshot = new Snapshot(90, 1, Membership.of(SELF), new byte[] {1, 2, 3});
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            for (int i = 1; i <= 100; i++) {
                s.write(entries(0, entry(i, 1, 300)));
            }
            int before = segments().size();

            // When
            s.write(new DiskWrite(++writeId, null, snapshot, false, 0, List.of(), 80));
            assertThat(segments().size()).isLessThan(before / 2);
        }

        // Then
        RaftRestored found = reopened();
        assertThat(found.snapshot().index()).isEqualTo(90);
        assertThat(found.snapshot().state()).containsExactly(1, 2, 3);
        assertThat(found.entries().getFirst().index()).isLessThanOrEqualTo(81);
        assertThat(found.entries().getLast()).isEqualTo(entry(100, 1, 300));
    }

    @Test
    void replacesTheLogByALeadersSnapshotAndGoesOnAfterIt() {
        // Given
        Snapshot snapshot = new Snapshot(500, 3, Membership.of(SELF), new byte[100_000]);
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            s.write(entries(0, entry(1, 1, 10), entry(2, 1, 10)));
            s.write(new DiskWrite(++writeId, null, snapshot, true, 0, List.of(entry(501, 3, 4)), 0));
        }

        // When
        RaftRestored found = reopened();

        // Then
        assertThat(found.snapshot().state()).hasSize(100_000);
        assertThat(found.entries()).containsExactly(entry(501, 3, 4));
    }

    @Test
    void discardsTheOldLogWhenTheCrashCameBetweenSnapshotAndReset() {
        // Given
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            s.write(entries(0, entry(1, 1, 10), entry(2, 1, 10)));
        }
        new SnapshotFile(directory).write(new Snapshot(500, 3, Membership.of(SELF), new byte[3]));

        // When
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            assertThat(s.restored().entries()).isEmpty();
            s.write(entries(0, entry(501, 3, 1)));
        }

        // Then
        assertThat(reopened().entries()).containsExactly(entry(501, 3, 1));
    }

    @Test
    void refusesToWriteAfterAFailure() throws IOException {
        // Given
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            s.write(entries(0, entry(1, 1, 10)));
            // A directory in the way of the next segment stands for a disk that takes nothing more.
            Files.createDirectories(directory.resolve("log-0000000000000002.tmp/x"));

            // Then
            assertThatThrownBy(() -> s.write(entries(0, entry(2, 1, SEGMENT))))
                    .isInstanceOf(LocalFault.class)
                    .hasMessageContaining("cannot write the Raft log");
            assertThatThrownBy(() -> s.write(entries(0, entry(2, 1, 1))))
                    .isInstanceOf(LocalFault.class)
                    .hasMessageContaining("restart this node");
        }
        Files.delete(directory.resolve("log-0000000000000002.tmp/x"));
        Files.delete(directory.resolve("log-0000000000000002.tmp"));
        assertThat(reopened().entries()).containsExactly(entry(1, 1, 10));
    }

    @Test
    void noticesALogThatIsShorterThanTheHardStateSaw() throws IOException {
        // Given
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            s.write(entries(0, entry(1, 1, 10)));
            s.write(new DiskWrite(++writeId, new HardState(4, SELF, false), null, false, 0, List.of(), 0));
        }
        for (Path p : segments()) {
            Files.delete(p);
        }

        // Then
        assertThatThrownBy(this::reopened)
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("ends at batch 0 where 1");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void cutsATornLastBatchAndKeepsEveryAcknowledgedOne(long seed) throws IOException {
        for (int round = 0; round < 8; round++) {
            // Given
            RandomGenerator random = new SplittableRandom(seed * 1000 + round);
            wipe();
            List<LogEntry> acknowledged = fill(random, 1 + random.nextInt(20));
            byte[] before = Files.readAllBytes(segments().getLast());
            Path last = segments().getLast();
            try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
                s.write(entries(0, entry(acknowledged.size() + 1, 2, random.nextInt(1500))));
            }
            boolean grew = !segments().getLast().equals(last);

            // When some sectors of the last write never reached the disk
            boolean complete = grew || tear(last, before, random);
            List<LogEntry> found = reopened().entries();

            // Then
            assertThat(found.subList(0, acknowledged.size())).isEqualTo(acknowledged);
            assertThat(found).hasSize(acknowledged.size() + (complete ? 1 : 0));
            assertThat(reopened().entries()).isEqualTo(found);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void endsEveryDamageInAClearFaultAndNeverInWrongEntries(long seed) throws IOException {
        int faults = 0;
        for (int round = 0; round < 16; round++) {
            // Given
            RandomGenerator random = new SplittableRandom(seed * 7919 + round);
            wipe();
            List<LogEntry> acknowledged = fill(random, 1 + random.nextInt(20));

            // When
            Path victim = damage(random);

            // Then
            try {
                RaftRestored found = reopened();
                assertThat(found.entries()).as("seed %d round %d", seed, round).isEqualTo(acknowledged);
                assertThat(found.hardState().term()).isEqualTo(9);
            } catch (LocalFault e) {
                faults++;
                assertThat(e).hasMessageContaining(directory.toString()).hasMessageContaining("restore it");
                assertThat(victim).exists();
            }
        }
        assertThat(faults).isEqualTo(16);
    }

    // ---- helpers

    private List<LogEntry> fill(RandomGenerator random, int batches) {
        List<LogEntry> all = new ArrayList<>();
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            for (int b = 0; b < batches; b++) {
                List<LogEntry> batch = new ArrayList<>();
                for (int i = 0; i <= random.nextInt(4); i++) {
                    batch.add(entry(all.size() + batch.size() + 1, 1, random.nextInt(900)));
                }
                all.addAll(batch);
                s.write(entries(0, batch.toArray(LogEntry[]::new)));
            }
            s.write(new DiskWrite(++writeId, new HardState(8, SELF, false), null, false, 0, List.of(), 0));
            s.write(new DiskWrite(++writeId, new HardState(9, SELF, false), null, false, 0, List.of(), 0));
        }
        return all;
    }

    /** Puts some sectors back to what they were before the last write; whether none had to be. */
    private static boolean tear(Path file, byte[] before, RandomGenerator random) throws IOException {
        byte[] after = Files.readAllBytes(file);
        boolean complete = true;
        for (int at = 0; at < after.length; at += Sectors.SIZE) {
            boolean written = !Arrays.equals(before, at, at + Sectors.SIZE, after, at, at + Sectors.SIZE);
            if (written && random.nextBoolean()) {
                System.arraycopy(before, at, after, at, Sectors.SIZE);
                complete = false;
            }
        }
        Files.write(file, after);
        return complete;
    }

    /** Flips one bit anywhere, or cuts a file short. */
    private Path damage(RandomGenerator random) throws IOException {
        List<Path> files = new ArrayList<>(segments());
        files.add(directory.resolve("hardstate"));
        Path file = files.get(random.nextInt(files.size()));
        byte[] bytes = Files.readAllBytes(file);
        int at = random.nextInt(bytes.length);
        if (random.nextInt(4) == 0) {
            Files.write(file, Arrays.copyOf(bytes, at));
        } else {
            bytes[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, bytes);
        }
        return file;
    }

    private RaftRestored reopened() {
        try (RaftStorage s = RaftStorage.open(directory, SEGMENT)) {
            return s.restored();
        }
    }

    private void wipe() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path p : files.toList()) {
                Files.delete(p);
            }
        }
    }

    private List<Path> segments() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(f -> f.getFileName().toString().matches("log-\\d+"))
                    .sorted()
                    .toList();
        }
    }

    private DiskWrite entries(long truncateFrom, LogEntry... entries) {
        return new DiskWrite(++writeId, null, null, false, truncateFrom, List.of(entries), 0);
    }

    private static LogEntry entry(long index, long term, int bytes) {
        byte[] data = new byte[bytes];
        Arrays.fill(data, (byte) index);
        return new LogEntry(index, term, EntryKind.COMMAND, data);
    }
}
