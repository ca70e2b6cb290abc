package io.quantadb.node.verify;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a whole comparison came to.
 *
 * @param nodes those compared, the primary first
 * @param absent those that were not, and why
 * @param from where the primary's WAL stood when the comparison began, {@code to} when it was over
 */
public record Report(
        List<NodeId> nodes, Map<NodeId, String> absent, List<TableResult> tables, Lsn from, Lsn to, Duration took) {
    public Report {
        nodes = List.copyOf(nodes);
        absent = Collections.unmodifiableMap(new LinkedHashMap<>(absent));
        tables = List.copyOf(tables);
    }

    /** In one word. */
    public enum Verdict {
        /** Everything that was to be compared was, and is alike. */
        SAME,
        /** Something is proven to differ, or cannot be read. */
        DIFFERENT,
        /** Nothing differs in what could be compared, which was not all. */
        INCOMPLETE
    }

    public Verdict verdict() {
        boolean different = results().anyMatch(result -> !result.findings().isEmpty());
        boolean incomplete =
                !absent.isEmpty() || results().anyMatch(result -> !result.open().isEmpty());
        return different ? Verdict.DIFFERENT : incomplete ? Verdict.INCOMPLETE : Verdict.SAME;
    }

    private java.util.stream.Stream<NodeResult> results() {
        return tables.stream().flatMap(table -> table.nodes().values().stream());
    }

    public long rows() {
        return tables.stream().mapToLong(TableResult::rows).sum();
    }
}
