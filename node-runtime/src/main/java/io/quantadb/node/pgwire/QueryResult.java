package io.quantadb.node.pgwire;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One statement's result, all of it, as text.
 *
 * @param tag the command tag, such as {@code SELECT 1}; empty for an empty statement
 */
public record QueryResult(List<String> columns, List<List<@Nullable String>> rows, String tag) {
    public QueryResult {
        columns = List.copyOf(columns);
        rows = List.copyOf(rows);
    }

    /** The first column of the first row; throws when there is no row or it is null. */
    public String single() {
        String value = singleOrNull();
        if (value == null) {
            throw new IllegalStateException("the statement gave no value");
        }
        return value;
    }

    /** The first column of the first row, or null when there is none. */
    public @Nullable String singleOrNull() {
        return rows.isEmpty() || rows.getFirst().isEmpty()
                ? null
                : rows.getFirst().getFirst();
    }

    /** The value of a named column; throws for a name that is not there. */
    public @Nullable String value(int row, String column) {
        int index = columns.indexOf(column);
        if (index < 0) {
            throw new IllegalArgumentException("there is no column " + column);
        }
        return rows.get(row).get(index);
    }
}
