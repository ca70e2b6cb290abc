package io.quantadb.node.cli;

import io.quantadb.node.adopt.Finding;
import java.util.ArrayList;
import java.util.List;

/** Lays findings out for a terminal: a subject, whether it stands in the way, and words in lines of their own width. */
final class FindingsTable {
    private static final int LEAST_WIDTH = 60;
    private static final int MOST_WIDTH = 120;
    private static final String DO = "-> ";

    private final int width;

    /** @param columns of the terminal */
    FindingsTable(int columns) {
        this.width = Math.clamp(columns, LEAST_WIDTH, MOST_WIDTH);
    }

    String render(List<Finding> findings) {
        int subject = findings.stream()
                .mapToInt(finding -> finding.subject().length())
                .max()
                .orElse(0);
        subject = Math.max(subject, "CHECK".length());
        int indent = subject + 6;
        StringBuilder out = new StringBuilder(padded("CHECK", subject) + "      FOUND, AND WHAT TO DO\n");
        String before = "";
        for (Finding finding : findings) {
            String name = finding.subject().equals(before) ? "" : finding.subject();
            before = finding.subject();
            List<String> lines = new ArrayList<>(wrapped(finding.found(), width - indent));
            if (!finding.todo().isEmpty()) {
                List<String> todo = wrapped(finding.todo(), width - indent - DO.length());
                for (int i = 0; i < todo.size(); i++) {
                    lines.add((i == 0 ? DO : " ".repeat(DO.length())) + todo.get(i));
                }
            }
            out.append(padded(name, subject))
                    .append(' ')
                    .append(padded(word(finding.level()), 4))
                    .append(' ');
            out.append(String.join("\n" + " ".repeat(indent), lines)).append('\n');
        }
        return out.toString();
    }

    private static String word(Finding.Level level) {
        return switch (level) {
            case OK -> "ok";
            case NOTE -> "note";
            case STOP -> "STOP";
        };
    }

    private static String padded(String text, int length) {
        return text + " ".repeat(Math.max(0, length - text.length()));
    }

    /** Broken between words; a word that is longer than a line stays whole. */
    private static List<String> wrapped(String text, int length) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ")) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > length) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }
}
