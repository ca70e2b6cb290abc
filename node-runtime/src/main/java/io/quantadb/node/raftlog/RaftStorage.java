package io.quantadb.node.raftlog;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raft.HardState;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.Snapshot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Everything that Raft keeps on one disk: {@code lock}, {@code hardstate}, {@code snapshot} and the log's segments.
 *
 * <p>Opened and recovered by one thread, then written by one thread; {@link #write} returns when all of it is durable.
 * Every failure is a {@link LocalFault}, after which nothing more is written: what the disk holds is then known again
 * only after a restart.
 */
public final class RaftStorage implements AutoCloseable {
    private final DirectoryLock lock;
    private final DurableSlots hardState;
    private final SnapshotFile snapshots;
    private final SegmentedLog log;
    private final RaftRestored restored;
    private long snapshotIndex;
    private boolean failed;

    private RaftStorage(Path directory, int segmentBytes, DirectoryLock lock) {
        this.lock = lock;
        this.hardState = DurableSlots.open(directory.resolve("hardstate"));
        this.snapshots = new SnapshotFile(directory);
        this.log = SegmentedLog.open(directory, segmentBytes);
        this.restored = recover();
    }

    /** Opens a directory, made when missing; {@link LocalFault} when it is in use, damaged or not writable. */
    public static RaftStorage open(Path directory) {
        return open(directory, SegmentedLog.SEGMENT_BYTES);
    }

    static RaftStorage open(Path directory, int segmentBytes) {
        DirectoryLock lock = DirectoryLock.acquire(directory);
        try {
            return new RaftStorage(directory, segmentBytes, lock);
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** Whether a log was ever begun here. */
    public static boolean exists(Path directory) {
        return Files.exists(directory.resolve("hardstate"));
    }

    /** Begins a log on an empty directory; {@link LocalFault} when there is one. */
    public static void create(Path directory, RaftRestored initial) {
        try (RaftStorage storage = open(directory)) {
            RaftRestored found = storage.restored();
            boolean begun = !found.entries().isEmpty()
                    || found.snapshot() != null
                    || found.hardState().term() > initial.hardState().term();
            if (begun) {
                throw new LocalFault("%s holds a Raft log already: nothing was changed".formatted(directory));
            }
            storage.write(new DiskWrite(
                    1, initial.hardState(), initial.snapshot(), initial.snapshot() != null, 0, initial.entries(), 0));
        }
    }

    /** What was found at opening. */
    public RaftRestored restored() {
        return restored;
    }

    /** Carries out one write completely, in the order of its components. */
    public void write(DiskWrite w) {
        if (failed) {
            throw new LocalFault("the Raft disk failed before and is not written any more: restart this node");
        }
        try {
            HardState state = w.hardState();
            if (state != null) {
                hardState.write(HardStateCodec.encode(new HardStateCodec.Stored(state, log.sequence())));
            }
            Snapshot snapshot = w.snapshot();
            if (snapshot != null) {
                snapshots.write(snapshot);
                snapshotIndex = snapshot.index();
            }
            boolean reset = w.reset() && snapshot != null;
            if (reset || w.truncateFrom() > 0 || !w.entries().isEmpty()) {
                long resetIndex = reset ? Objects.requireNonNull(snapshot).index() : 0;
                long resetTerm = reset ? Objects.requireNonNull(snapshot).term() : 0;
                log.append(resetIndex, resetTerm, w.truncateFrom(), w.entries());
            }
            if (reset) {
                log.compactTo(snapshotIndex);
            }
            if (w.compactTo() > 0) {
                log.compactTo(Math.min(w.compactTo(), snapshotIndex));
            }
        } catch (RuntimeException e) {
            failed = true;
            throw e;
        }
    }

    @Override
    public void close() {
        log.close();
        hardState.close();
        lock.close();
    }

    private RaftRestored recover() {
        byte[] value = hardState.read();
        HardStateCodec.Stored stored =
                value == null ? new HardStateCodec.Stored(HardState.NONE, 0) : HardStateCodec.decode(value);
        if (log.sequence() < stored.logSequence()) {
            throw new LocalFault(
                    "the Raft log ends at batch %d where %d were on disk before: restore it, or empty this node and let it join anew"
                            .formatted(log.sequence(), stored.logSequence()));
        }
        Snapshot snapshot = snapshots.read();
        snapshotIndex = snapshot == null ? 0 : snapshot.index();
        List<LogEntry> found = log.takeEntries();
        List<LogEntry> entries = fitting(snapshot, found);
        if (snapshot != null && entries.size() < found.size()) {
            log.append(snapshot.index(), snapshot.term(), 0, List.of());
        }
        return new RaftRestored(stored.state(), snapshot, entries);
    }

    /** The entries that go with the snapshot: all, unless the snapshot came from a leader and replaced them. */
    private static List<LogEntry> fitting(@Nullable Snapshot snapshot, List<LogEntry> entries) {
        if (entries.isEmpty()) {
            return entries;
        }
        long first = entries.getFirst().index();
        if (snapshot == null) {
            if (first != 1) {
                throw new LocalFault(
                        "the Raft log begins at entry %d and there is no snapshot before it".formatted(first));
            }
            return entries;
        }
        if (first > snapshot.index() + 1) {
            throw new LocalFault(
                    "the Raft log begins at entry %d and the snapshot ends at %d".formatted(first, snapshot.index()));
        }
        if (first == snapshot.index() + 1) {
            return entries;
        }
        // The crash came between a leader's snapshot and the record in the log that it replaces what was there.
        boolean agrees = entries.stream().anyMatch(e -> e.index() == snapshot.index() && e.term() == snapshot.term());
        return agrees ? entries : List.of();
    }
}
