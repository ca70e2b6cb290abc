package io.quantadb.node.verify;

import java.util.Map;

/**
 * The rows of a range as one snapshot shows them.
 *
 * @param rows each version, and whether nobody has begun to delete or lock it (its xmax is zero)
 * @param oldestRunning every transaction below this had ended, on the server that was read
 * @param next no transaction from this on had ended there
 */
record Reading(Map<RowVersion, Boolean> rows, long oldestRunning, long next) {
    Reading {
        rows = Map.copyOf(rows);
    }
}
