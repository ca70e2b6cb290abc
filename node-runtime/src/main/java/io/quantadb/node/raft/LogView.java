package io.quantadb.node.raft;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The log as the core sees it: what is in memory, from just after a base whose term is known. */
final class LogView {
    private final List<LogEntry> entries = new ArrayList<>();
    private long baseIndex;
    private long baseTerm;

    LogView(@Nullable Snapshot snapshot, List<LogEntry> restored) {
        if (snapshot == null) {
            entries.addAll(restored);
        } else if (restored.isEmpty() || restored.getFirst().index() > snapshot.index()) {
            baseIndex = snapshot.index();
            baseTerm = snapshot.term();
            entries.addAll(restored);
        } else {
            // Entries from before the snapshot were kept for members a little behind; the first tells the base's term.
            baseIndex = restored.getFirst().index();
            baseTerm = restored.getFirst().term();
            entries.addAll(restored.subList(1, restored.size()));
        }
        requireNoGap();
    }

    long baseIndex() {
        return baseIndex;
    }

    long lastIndex() {
        return baseIndex + entries.size();
    }

    long lastTerm() {
        return entries.isEmpty() ? baseTerm : entries.getLast().term();
    }

    /** Whether the term at this index is known: from the base to the last entry. */
    boolean knows(long index) {
        return index >= baseIndex && index <= lastIndex();
    }

    long term(long index) {
        return index == baseIndex ? baseTerm : entry(index).term();
    }

    boolean matches(long index, long term) {
        return knows(index) && term(index) == term;
    }

    LogEntry entry(long index) {
        return entries.get((int) (index - baseIndex - 1));
    }

    void append(LogEntry e) {
        if (e.index() != lastIndex() + 1) {
            throw new IllegalStateException("entry %s does not follow index %d".formatted(e, lastIndex()));
        }
        entries.add(e);
    }

    void truncateFrom(long index) {
        entries.subList((int) (index - baseIndex - 1), entries.size()).clear();
    }

    void compactTo(long index) {
        long newBaseTerm = term(index);
        entries.subList(0, (int) (index - baseIndex)).clear();
        baseIndex = index;
        baseTerm = newBaseTerm;
    }

    void reset(Snapshot snapshot) {
        entries.clear();
        baseIndex = snapshot.index();
        baseTerm = snapshot.term();
    }

    /** From this index on, as many as fit; one at least when there is one. */
    List<LogEntry> from(long index, int bytesMax, int countMax) {
        List<LogEntry> found = new ArrayList<>();
        int bytes = 0;
        for (long i = index; i <= lastIndex() && found.size() < countMax; i++) {
            LogEntry e = entry(i);
            bytes += e.data().length;
            if (!found.isEmpty() && bytes > bytesMax) {
                break;
            }
            found.add(e);
        }
        return found;
    }

    /** The first index of the run of entries that share the term of this one. */
    long firstOfTermAt(long index) {
        long i = index;
        while (i - 1 > baseIndex && term(i - 1) == term(index)) {
            i--;
        }
        return i;
    }

    /** Whether a log that ends so is at least as complete as this one (Raft §5.4.1). */
    boolean isNotAheadOf(long otherLastIndex, long otherLastTerm) {
        return otherLastTerm > lastTerm() || (otherLastTerm == lastTerm() && otherLastIndex >= lastIndex());
    }

    private void requireNoGap() {
        for (int i = 0; i < entries.size(); i++) {
            if (entries.get(i).index() != baseIndex + 1 + i) {
                throw new IllegalArgumentException(
                        "entry %s where index %d belongs".formatted(entries.get(i), baseIndex + 1 + i));
            }
        }
    }
}
