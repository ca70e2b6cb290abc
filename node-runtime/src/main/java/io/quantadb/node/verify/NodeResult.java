package io.quantadb.node.verify;

import java.util.List;

/**
 * One table on one node.
 *
 * @param findings what is wrong
 * @param open what could not be settled, or read, in words; empty when everything was compared
 */
public record NodeResult(List<Finding> findings, List<String> open) {
    public NodeResult {
        findings = List.copyOf(findings);
        open = List.copyOf(open);
    }

    public boolean same() {
        return findings.isEmpty() && open.isEmpty();
    }

    /** How many rows are unlike the primary's. */
    public long rowsDiffering() {
        return rows(null);
    }

    /** How many rows are so in this way. */
    public long rows(RowDifference.@org.jspecify.annotations.Nullable Kind kind) {
        return findings.stream()
                .mapToLong(finding -> switch (finding) {
                    case Finding.Rows found ->
                        found.rows().stream()
                                .filter(row -> kind == null || row.kind() == kind)
                                .count();
                    case Finding.Unreadable unreadable -> 0;
                })
                .sum();
    }

    public long unreadable() {
        return findings.stream().filter(Finding.Unreadable.class::isInstance).count();
    }
}
