package io.quantadb.node.raftlog;

import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.RaftCodec;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What one batch of the log says, in order; the log on disk is only ever appended to, so voiding entries is a record
 * too.
 * <pre>
 * record: | int8 1 | entry as on the wire |                 an entry that follows the last
 *         | int8 2 | int64 index |                          entries from this index on are void
 *         | int8 3 | int64 index | int64 term |             a snapshot took the place of everything up to here
 * </pre>
 */
final class LogRecords {
    static final byte ENTRY = 1;
    static final byte TRUNCATE = 2;
    static final byte RESET = 3;

    private LogRecords() {}

    static byte[] encode(long resetIndex, long resetTerm, long truncateFrom, List<LogEntry> entries) {
        int size =
                32 + entries.stream().mapToInt(e -> 1 + RaftCodec.entryBytes(e)).sum();
        ByteBuffer out = ByteBuffer.allocate(size);
        if (resetIndex > 0) {
            out.put(RESET).putLong(resetIndex).putLong(resetTerm);
        }
        if (truncateFrom > 0) {
            out.put(TRUNCATE).putLong(truncateFrom);
        }
        for (LogEntry e : entries) {
            out.put(ENTRY);
            RaftCodec.writeEntry(out, e);
        }
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    /** Applies the records to what was read before; {@link IllegalArgumentException} when they do not fit. */
    static void replay(byte[] payload, List<LogEntry> log) {
        ByteBuffer in = ByteBuffer.wrap(payload);
        while (in.hasRemaining()) {
            byte type = in.get();
            switch (type) {
                case ENTRY -> {
                    LogEntry e = RaftCodec.readEntry(in);
                    if (!log.isEmpty() && e.index() != log.getLast().index() + 1) {
                        throw new IllegalArgumentException("entry %s follows %s".formatted(e, log.getLast()));
                    }
                    log.add(e);
                }
                case TRUNCATE -> {
                    long from = in.getLong();
                    log.removeIf(e -> e.index() >= from);
                }
                case RESET -> {
                    in.getLong();
                    in.getLong();
                    log.clear();
                }
                default -> throw new IllegalArgumentException("record type %d is not known".formatted(type));
            }
        }
    }

    /** The highest index that a batch mentions, which says when its segment is no longer needed. */
    static long highestIndex(long resetIndex, long truncateFrom, List<LogEntry> entries) {
        long highest = Math.max(resetIndex, truncateFrom - 1);
        return entries.isEmpty() ? highest : Math.max(highest, entries.getLast().index());
    }
}
