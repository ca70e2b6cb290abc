package io.quantadb.node.verify;

import io.quantadb.node.common.NodeId;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One table on all nodes.
 *
 * @param rows on the primary
 * @param sum checksum of the primary's rows
 * @param nodes by node, the primary first: what is wrong there
 * @param whyNot why it was not compared at all; empty when it was
 */
public record TableResult(
        String database, TableRef table, long rows, long sum, Map<NodeId, NodeResult> nodes, String whyNot) {
    public TableResult {
        nodes = Collections.unmodifiableMap(new LinkedHashMap<>(nodes));
    }

    static TableResult notCompared(String database, TableRef table, String whyNot) {
        return new TableResult(database, table, 0, 0, Map.of(), whyNot);
    }

    /** As it is printed: sixteen hexadecimal digits. */
    public String checksum() {
        return "%016x".formatted(sum);
    }

    public boolean compared() {
        return whyNot.isEmpty();
    }
}
