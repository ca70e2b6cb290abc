package io.quantadb.node.raft;

import java.util.Arrays;

/** One entry of the Raft log; indices count from 1. The bytes are never changed once the entry exists. */
public record LogEntry(long index, long term, EntryKind kind, byte[] data) {
    @Override
    public boolean equals(Object other) {
        return other instanceof LogEntry e
                && e.index == index
                && e.term == term
                && e.kind == kind
                && Arrays.equals(e.data, data);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(index * 31 + term);
    }

    @Override
    public String toString() {
        return "%d@%d:%s[%d]".formatted(index, term, kind, data.length);
    }
}
