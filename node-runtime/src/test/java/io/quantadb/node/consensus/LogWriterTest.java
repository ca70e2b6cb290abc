package io.quantadb.node.consensus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raft.EntryKind;
import io.quantadb.node.raft.HardState;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raftlog.RaftStorage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Raft log's group commit. */
class LogWriterTest {
    private static final PeerId SELF = new PeerId(new NodeId("n1"), 7);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    @Test
    void writesTogetherWhatWaitsAndEverythingInItsOrder() throws InterruptedException {
        // Given more than one entry and a vote, before the writer runs
        RaftStorage.create(folder, RaftRestored.groupOfOne(SELF));
        RaftStorage storage = RaftStorage.open(folder);
        List<Long> completions = new CopyOnWriteArrayList<>();
        AtomicReference<LogWriter> self = new AtomicReference<>();
        LogWriter writer = new LogWriter(
                storage, () -> completions.add(self.get().completed()), System::nanoTime, Duration.ofMillis(5));
        self.set(writer);
        long next = storage.restored().entries().getLast().index() + 1;
        writer.submit(entry(1, next));
        writer.submit(entry(2, next + 1));
        writer.submit(new DiskWrite(3, new HardState(9, SELF, false), null, false, 0, List.of(), 0));
        writer.submit(entry(4, next + 2));
        writer.submit(entry(5, next + 3));

        // When
        writer.start();
        await().atMost(PATIENCE).until(() -> writer.completed() == 5);
        writer.close();
        assertThat(writer.thread().join(PATIENCE)).isTrue();
        storage.close();

        // Then
        assertThat(completions).contains(2L, 3L, 5L).doesNotContain(1L, 4L).isSorted();
        try (RaftStorage again = RaftStorage.open(folder)) {
            assertThat(again.restored().hardState().term()).isEqualTo(9);
            assertThat(again.restored().entries().getLast().index()).isEqualTo(next + 3);
        }
    }

    private static DiskWrite entry(long id, long index) {
        return new DiskWrite(
                id, null, null, false, 0, List.of(new LogEntry(index, 1, EntryKind.COMMAND, new byte[] {1})), 0);
    }
}
