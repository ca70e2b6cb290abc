package io.quantadb.node.verify;

/** How one row of a standby is unlike the primary's. No contents: those are for who may read the table. */
public record RowDifference(RowPlace place, Kind kind) {
    /** What is wrong at that place. */
    public enum Kind {
        /** The primary shows a row and the standby none. */
        MISSING,
        /** The standby shows a row and the primary none. */
        EXTRA,
        /** Both show one, and they are not equal. */
        CHANGED
    }
}
