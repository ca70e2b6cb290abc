package io.quantadb.node.cli;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.verify.Finding;
import io.quantadb.node.verify.NodeResult;
import io.quantadb.node.verify.Report;
import io.quantadb.node.verify.RowDifference;
import io.quantadb.node.verify.TableResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Lays a comparison's report out for people: one line a table, then what differs, then one line about all. */
final class VerifyTable {
    /** Rows of one range that are listed. */
    private static final int ROWS_LISTED = 20;

    private static final int ROWS_COLUMN = 2;

    String render(Report report) {
        StringBuilder out = new StringBuilder();
        List<NodeId> standbys = new ArrayList<>(report.nodes());
        NodeId primary = standbys.removeFirst();
        report.absent().keySet().stream()
                .filter(node ->
                        report.tables().stream().anyMatch(table -> table.nodes().containsKey(node)))
                .forEach(standbys::add);
        List<List<String>> rows = new ArrayList<>();
        List<String> titles = new ArrayList<>(List.of("DATABASE", "TABLE", "ROWS", "CHECKSUM"));
        standbys.forEach(node -> titles.add(node.value()));
        rows.add(titles);
        report.tables().forEach(table -> rows.add(row(table, standbys)));
        alignRows(rows);
        out.append(Columns.render(rows));
        for (TableResult table : report.tables()) {
            if (table.compared()) {
                table.nodes().forEach((node, result) -> details(table, node, result, out));
            } else {
                out.append("%s %s was not compared: %s%n".formatted(table.database(), table.table(), table.whyNot()));
            }
        }
        report.absent().forEach((node, why) -> out.append("%s was not compared: %s%n".formatted(node, why)));
        return out.append(summary(report, primary))
                .append(System.lineSeparator())
                .toString();
    }

    private static List<String> row(TableResult table, List<NodeId> standbys) {
        List<String> out =
                new ArrayList<>(List.of(table.database(), table.table().toString()));
        if (!table.compared()) {
            out.addAll(List.of("-", "-"));
            standbys.forEach(node -> out.add("-"));
            return out;
        }
        out.addAll(List.of(Long.toString(table.rows()), table.checksum()));
        standbys.forEach(node -> out.add(cell(table.nodes().get(node))));
        return out;
    }

    private static String cell(@org.jspecify.annotations.Nullable NodeResult result) {
        if (result == null) {
            return "-";
        }
        List<String> words = new ArrayList<>();
        if (result.rowsDiffering() > 0) {
            words.add(result.rowsDiffering() == 1 ? "1 row differs" : result.rowsDiffering() + " rows differ");
        }
        if (result.unreadable() > 0) {
            words.add("%d unreadable".formatted(result.unreadable()));
        }
        if (!result.open().isEmpty()) {
            words.add("not settled");
        }
        return words.isEmpty() ? "same" : String.join(", ", words);
    }

    private static void details(TableResult table, NodeId node, NodeResult result, StringBuilder out) {
        String who = "%s %s %s".formatted(node, table.database(), table.table());
        for (Finding finding : result.findings()) {
            switch (finding) {
                case Finding.Rows found -> {
                    found.rows().stream()
                            .limit(ROWS_LISTED)
                            .forEach(row -> out.append("%s %s %s%n".formatted(who, row.place(), words(row))));
                    if (found.rows().size() > ROWS_LISTED) {
                        out.append("%s and %d more rows in %s%n"
                                .formatted(who, found.rows().size() - ROWS_LISTED, found.range()));
                    }
                }
                case Finding.Unreadable unreadable ->
                    out.append("%s %s cannot be read: %s%n".formatted(who, unreadable.range(), unreadable.words()));
            }
        }
        result.open().forEach(words -> out.append("%s %s%n".formatted(who, words)));
    }

    private static String words(RowDifference row) {
        return switch (row.kind()) {
            case MISSING -> "is missing";
            case EXTRA -> "is not on the primary";
            case CHANGED -> "is not what the primary has";
        };
    }

    private static String summary(Report report, NodeId primary) {
        long compared = report.tables().stream().filter(TableResult::compared).count();
        String nodes = report.nodes().stream().skip(1).map(NodeId::value).collect(Collectors.joining(", "));
        String found = switch (report.verdict()) {
            case SAME -> "all alike";
            case DIFFERENT -> "NOT ALIKE: " + differing(report);
            case INCOMPLETE -> "nothing differs, but not everything could be compared";
        };
        return "%s, %s of %s (primary) and %s, between LSN %s and %s, in %.1f s: %s"
                .formatted(
                        compared == 1 ? "1 table" : compared + " tables",
                        report.rows() == 1 ? "1 row" : report.rows() + " rows",
                        primary,
                        nodes.isEmpty() ? "no other node" : nodes,
                        report.from(),
                        report.to(),
                        report.took().toMillis() / 1000.0,
                        found);
    }

    private static String differing(Report report) {
        return report.tables().stream()
                .flatMap(table -> table.nodes().entrySet().stream()
                        .filter(entry -> !entry.getValue().findings().isEmpty())
                        .map(Map.Entry::getKey))
                .distinct()
                .map(NodeId::value)
                .sorted()
                .collect(Collectors.joining(", "));
    }

    /** Numbers stand to the right. */
    private static void alignRows(List<List<String>> rows) {
        int width = rows.stream()
                .mapToInt(row -> row.get(ROWS_COLUMN).length())
                .max()
                .orElse(0);
        rows.forEach(row ->
                row.set(ROWS_COLUMN, " ".repeat(width - row.get(ROWS_COLUMN).length()) + row.get(ROWS_COLUMN)));
    }
}
