package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gathers what shall be written and sent, and holds each message back until what it depends on is on disk. A message
 * depends on the hard state as it is when the message is made; an answer about entries also on the log.
 */
final class Outbox {
    private record Held(long afterWrite, Outbound message) {}

    /** Where the log ended when a write was handed out. */
    private record LogMark(long writeId, long lastIndex, long lastTerm) {}

    private final Deque<Held> held = new ArrayDeque<>();
    private final Deque<LogMark> marks = new ArrayDeque<>();
    private long nextWriteId = 1;
    private long writtenId;
    private long lastHardWrite;
    private long lastLogWrite;
    private @Nullable HardState hardState;
    private @Nullable Snapshot snapshot;
    private boolean reset;
    private long truncateFrom;
    private final List<LogEntry> entries = new ArrayList<>();
    private long compactTo;

    void stage(HardState state) {
        hardState = state;
        lastHardWrite = nextWriteId;
    }

    void stageAppend(LogEntry e) {
        entries.add(e);
        lastLogWrite = nextWriteId;
    }

    void stageTruncate(long fromIndex) {
        entries.removeIf(e -> e.index() >= fromIndex);
        truncateFrom = truncateFrom == 0 ? fromIndex : Math.min(truncateFrom, fromIndex);
        lastLogWrite = nextWriteId;
    }

    void stageInstall(Snapshot received) {
        snapshot = received;
        reset = true;
        truncateFrom = 0;
        entries.clear();
        compactTo = 0;
        lastLogWrite = nextWriteId;
    }

    void stageSnapshot(Snapshot taken, long newCompactTo) {
        snapshot = taken;
        compactTo = newCompactTo;
        lastLogWrite = nextWriteId;
    }

    /** Leaves once the hard state of now is on disk. */
    void send(PeerId to, RaftMessage m) {
        held.add(new Held(lastHardWrite, new Outbound(to, m)));
    }

    /** Leaves once the hard state and the log of now are on disk. */
    void sendAfterLog(PeerId to, RaftMessage m) {
        held.add(new Held(Math.max(lastHardWrite, lastLogWrite), new Outbound(to, m)));
    }

    /** The write of everything staged, or null when nothing is. */
    @Nullable
    DiskWrite takeWrite(LogView log) {
        if (lastHardWrite != nextWriteId && lastLogWrite != nextWriteId) {
            return null;
        }
        DiskWrite write = new DiskWrite(nextWriteId, hardState, snapshot, reset, truncateFrom, entries, compactTo);
        marks.add(new LogMark(nextWriteId, log.lastIndex(), log.lastTerm()));
        nextWriteId++;
        hardState = null;
        snapshot = null;
        reset = false;
        truncateFrom = 0;
        entries.clear();
        compactTo = 0;
        return write;
    }

    List<Outbound> takeMessages() {
        List<Outbound> free = new ArrayList<>();
        held.removeIf(h -> {
            boolean leaves = h.afterWrite() <= writtenId;
            if (leaves) {
                free.add(h.message());
            }
            return leaves;
        });
        return free;
    }

    /** Notes a completed write; returns up to where the log is now known to be on disk, or -1 when no further. */
    long written(long writeId, LogView log) {
        writtenId = Math.max(writtenId, writeId);
        long durable = -1;
        while (!marks.isEmpty() && marks.getFirst().writeId() <= writtenId) {
            LogMark mark = marks.removeFirst();
            // What was written may have been replaced since; the same index and term is the same entry.
            if (log.matches(mark.lastIndex(), mark.lastTerm())) {
                durable = mark.lastIndex();
            }
        }
        return durable;
    }

    /** A leader's snapshot waits to be handed out; nothing else may take its place in that write. */
    boolean installStaged() {
        return reset;
    }

    boolean isWritten(long writeId) {
        return writeId <= writtenId;
    }

    /** The id of the write that makes the hard state of now durable. */
    long hardWrite() {
        return lastHardWrite;
    }
}
