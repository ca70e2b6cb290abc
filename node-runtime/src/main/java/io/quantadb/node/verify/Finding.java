package io.quantadb.node.verify;

import io.quantadb.node.common.Lsn;
import java.util.List;

/** What was found wrong in a range of a table on one node. */
public sealed interface Finding {
    BlockRange range();

    /**
     * Rows that are unlike the primary's.
     *
     * @param at the standby had replayed this position when it was read
     */
    record Rows(BlockRange range, List<RowDifference> rows, Lsn at) implements Finding {
        public Rows {
            rows = List.copyOf(rows);
        }
    }

    /** The server could not read them; its own words. */
    record Unreadable(BlockRange range, String words) implements Finding {}
}
