package io.quantadb.node.raft;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Something to make durable. Writes are carried out one after another in the order of their ids, each completely and
 * in the order of these components, and then reported with {@link RaftCore#written}.
 *
 * @param hardState the new hard state, or null when unchanged
 * @param snapshot a snapshot to keep in place of the last, or null
 * @param reset whether the snapshot came from a leader and replaces the whole log
 * @param truncateFrom entries from this index on are void; 0 when none are
 * @param entries entries to append after that
 * @param compactTo entries up to this index are no longer needed; 0 when nothing changed
 */
public record DiskWrite(
        long writeId,
        @Nullable HardState hardState,
        @Nullable Snapshot snapshot,
        boolean reset,
        long truncateFrom,
        List<LogEntry> entries,
        long compactTo) {
    public DiskWrite {
        entries = List.copyOf(entries);
    }
}
