package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Lays the answer of {@code /cluster/nodes} out as a table that fits 80 columns. */
final class StatusTable {
    private static final int WIDTH = 80;
    private static final int NAME_MIN = 4;
    private static final List<String> TITLES =
            List.of("NODE", "ROLE", "STATE", "EPOCH", "TIMELINE", "LSN", "LAG", "HEALTH", "SQL");
    private static final int SQL = TITLES.size() - 1;

    private final boolean colours;

    StatusTable(boolean colours) {
        this.colours = colours;
    }

    /** The table and a line about the cluster below it, each line ended. */
    String render(JsonNode nodes) {
        if (nodes.path("nodes").isEmpty()) {
            return "node %s is in no cluster yet\n"
                    .formatted(nodes.path("answered_by").asText());
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(TITLES);
        for (JsonNode node : nodes.path("nodes")) {
            rows.add(row(node));
        }
        if (total(widths(rows)) > WIDTH) {
            rows.replaceAll(row -> with(row, SQL, row.get(SQL).replaceFirst("^.*(?=:)", "")));
        }
        int excess = total(widths(rows)) - WIDTH;
        if (excess > 0) {
            int room = Math.max(NAME_MIN, widths(rows)[0] - excess);
            rows.replaceAll(row -> with(row, 0, shortened(row.get(0), room)));
        }
        int[] widths = widths(rows);
        StringBuilder out = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                String cell = row.get(i);
                line.append(i == 0 ? "" : " ").append(coloured(i, cell)).append(" ".repeat(widths[i] - cell.length()));
            }
            out.append(line.toString().stripTrailing()).append('\n');
        }
        return out.append(summary(nodes)).toString();
    }

    private static List<String> row(JsonNode node) {
        boolean heard =
                node.path("last_heard_ms").asLong() >= 0 && node.path("epoch").asLong() > 0;
        return List.of(
                node.path("id").asText(),
                node.path("role").asText().equals("UNKNOWN")
                        ? "-"
                        : node.path("role").asText(),
                node.path("state").asText(),
                heard ? node.path("epoch").asText() : "-",
                heard ? node.path("timeline").asText() : "-",
                heard && node.path("last_lsn").asLong() != 0
                        ? node.path("last_lsn_text").asText()
                        : "-",
                lag(node),
                node.path("health").asText(),
                node.path("sql_address").asText());
    }

    private static String lag(JsonNode node) {
        long bytes = node.path("lag_bytes").asLong(-1);
        if (bytes < 0 || node.path("role").asText().equals("PRIMARY")) {
            return "-";
        }
        String[] units = {"B", "kB", "MB", "GB", "TB"};
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + "B" : String.format(Locale.ROOT, "%.1f%s", value, units[unit]);
    }

    /** Whom commits wait for beside the primary, in words. */
    static String rule(JsonNode nodes) {
        String rule = nodes.path("rule").asText();
        return rule.isEmpty() || rule.equals("none") ? "nobody else" : rule;
    }

    private static String summary(JsonNode nodes) {
        String primary = nodes.path("primary").asText();
        String leader = nodes.path("leader").asText();
        String maintenance = nodes.path("maintenance").asBoolean() ? MaintenanceCommand.words(nodes) + "\n" : "";
        return notes(nodes)
                + fed(nodes)
                + maintenance
                + fenced(nodes)
                + "primary %s, leader %s, epoch %d; commits wait for %s%s\n"
                        .formatted(
                                primary.isEmpty() ? "none" : primary,
                                leader.isEmpty() ? "none" : leader,
                                nodes.path("epoch").asLong(),
                                rule(nodes),
                                nodes.path("failover_in_progress").asBoolean() ? "; a failover is under way" : "");
    }

    /** What the leader holds back and what it says of single members, a line each. */
    private static String notes(JsonNode nodes) {
        StringBuilder out = new StringBuilder();
        String heldBack = nodes.path("held_back").asText();
        if (!heldBack.isEmpty()) {
            out.append("a failover is held back: ").append(heldBack).append('\n');
        }
        for (JsonNode node : nodes.path("nodes")) {
            String note = node.path("note").asText();
            if (!note.isEmpty()) {
                out.append(node.path("id").asText()).append(": ").append(note).append('\n');
            }
        }
        return out.toString();
    }

    /** A line for each that streams from another than the primary. */
    private static String fed(JsonNode nodes) {
        String primary = nodes.path("primary").asText();
        return nodes.path("nodes")
                .valueStream()
                .filter(m -> !m.path("upstream").asText().isEmpty()
                        && !m.path("upstream").asText().equals(primary))
                .map(m -> "%s: upstream %s\n"
                        .formatted(m.path("id").asText(), m.path("upstream").asText()))
                .collect(Collectors.joining());
    }

    /** A line for those that an operator keeps away from clients; empty without one. */
    private static String fenced(JsonNode nodes) {
        String names = nodes.path("nodes")
                .valueStream()
                .filter(m -> m.path("fenced").asBoolean())
                .map(m -> m.path("id").asText())
                .collect(Collectors.joining(", "));
        return names.isEmpty()
                ? ""
                : "fenced: %s; no SQL there, and no primary, until quantadb unfence\n".formatted(names);
    }

    private String coloured(int column, String cell) {
        if (!colours) {
            return cell;
        }
        String code = switch (cell) {
            case "PRIMARY", "healthy" -> "32";
            case "lagging", "CLONING", "REWINDING", "CONNECTING", "STARTING", "PROMOTING" -> "33";
            case "DOWN", "desynced" -> "31";
            default -> "";
        };
        return column == 0 || code.isEmpty() ? cell : "\u001b[" + code + "m" + cell + "\u001b[0m";
    }

    private static List<String> with(List<String> row, int index, String cell) {
        List<String> out = new ArrayList<>(row);
        out.set(index, cell);
        return List.copyOf(out);
    }

    private static String shortened(String name, int room) {
        return name.length() <= room ? name : name.substring(0, room - 1) + "~";
    }

    private static int[] widths(List<List<String>> rows) {
        int[] out = new int[TITLES.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < out.length; i++) {
                out[i] = Math.max(out[i], row.get(i).length());
            }
        }
        return out;
    }

    private static int total(int[] widths) {
        int sum = widths.length - 1;
        for (int width : widths) {
            sum += width;
        }
        return sum;
    }
}
