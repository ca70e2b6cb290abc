package io.quantadb.node.verify;

import java.util.ArrayList;
import java.util.List;

/**
 * Blocks of a table from {@code from} up to, not including, {@code to}. The last range of a table is open: it takes in
 * whatever lies behind, for a standby may hold blocks that the primary does not.
 *
 * @param open whether {@code to} only says how far the primary's blocks went
 */
public record BlockRange(long from, long to, boolean open) {
    public BlockRange {
        if (from < 0 || to <= from) {
            throw new IllegalArgumentException("blocks %d to %d are no range".formatted(from, to));
        }
    }

    /** Cuts a whole table of so many blocks (none counts as one) into ranges of at most {@code each} blocks. */
    static List<BlockRange> covering(long blocks, long each) {
        return new BlockRange(0, Math.max(1, blocks), true).cut(each);
    }

    /** Cuts this range into ranges of at most {@code each} blocks, in their order. */
    List<BlockRange> cut(long each) {
        List<BlockRange> out = new ArrayList<>();
        for (long at = from; at < to; at += each) {
            long end = Math.min(to, at + each);
            out.add(new BlockRange(at, end, open && end == to));
        }
        return out;
    }

    long blocks() {
        return to - from;
    }

    @Override
    public String toString() {
        return open
                ? "blocks %d and after".formatted(from)
                : blocks() == 1 ? "block " + from : "blocks %d to %d".formatted(from, to - 1);
    }
}
