package io.quantadb.node.verify;

import java.util.Comparator;

/** Where a row lies in its table, printed as PostgreSQL's {@code ctid}: {@code SELECT … WHERE ctid = '(12,5)'} shows it. */
public record RowPlace(long block, int item) implements Comparable<RowPlace> {
    private static final Comparator<RowPlace> ORDER =
            Comparator.comparingLong(RowPlace::block).thenComparingInt(RowPlace::item);

    @Override
    public int compareTo(RowPlace other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return "(%d,%d)".formatted(block, item);
    }
}
