package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A {@code postgresql.conf} with everything that it includes, read as PostgreSQL reads it: a line is a name, perhaps an
 * equals sign, and a value, in quotes or bare; of several values for one name the last counts.
 *
 * @param settings in the order in which they are read
 * @param files that were read, the first one first
 */
public record ConfFile(List<Setting> settings, List<Path> files) {
    private static final int DEPTH_MAX = 10;
    private static final Pattern LINE = Pattern.compile(
            "\\s*([A-Za-z_][A-Za-z0-9_.$]*)(?:\\s*=\\s*|\\s+)('(?:[^'\\\\]|''|\\\\.)*'|[^\\s#']+)\\s*(?:#.*)?");
    private static final Pattern NOTHING = Pattern.compile("\\s*(?:#.*)?");
    private static final Pattern OCTAL = Pattern.compile("[0-7]{1,3}");

    /**
     * One line of it.
     *
     * @param name in lower case
     * @param line counted from 1
     */
    public record Setting(String name, String value, Path file, int line) {}

    public ConfFile {
        settings = List.copyOf(settings);
        files = List.copyOf(files);
    }

    /** {@link LocalFault} that names file and line when PostgreSQL would refuse it too. */
    public static ConfFile read(Path file) {
        List<Setting> settings = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        read(file.toAbsolutePath().normalize(), 0, settings, files);
        return new ConfFile(settings, files);
    }

    /** As {@link #read}; nothing at all when there is no such file. */
    public static ConfFile readIfExists(Path file) {
        return Files.exists(file) ? read(file) : new ConfFile(List.of(), List.of());
    }

    /** What counts, by name, in the order of the names' first lines. */
    public Map<String, Setting> effective() {
        Map<String, Setting> out = new LinkedHashMap<>();
        settings.forEach(setting -> out.put(setting.name(), setting));
        return out;
    }

    private static void read(Path file, int depth, List<Setting> settings, List<Path> files) {
        if (depth > DEPTH_MAX) {
            throw new LocalFault("%s is included more than %d files deep".formatted(file, DEPTH_MAX));
        }
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, IoReason.of(e)), e);
        }
        files.add(file);
        for (int i = 0; i < lines.size(); i++) {
            if (NOTHING.matcher(lines.get(i)).matches()) {
                continue;
            }
            Matcher line = LINE.matcher(lines.get(i));
            if (!line.matches()) {
                throw new LocalFault("%s, line %d is no setting".formatted(file, i + 1));
            }
            String name = line.group(1).toLowerCase(Locale.ROOT);
            String value = unquoted(line.group(2));
            switch (name) {
                case "include" -> read(beside(file, value), depth + 1, settings, files);
                case "include_if_exists" -> {
                    if (Files.exists(beside(file, value))) {
                        read(beside(file, value), depth + 1, settings, files);
                    }
                }
                case "include_dir" ->
                    confFiles(beside(file, value)).forEach(each -> read(each, depth + 1, settings, files));
                default -> settings.add(new Setting(name, value, file, i + 1));
            }
        }
    }

    private static Path beside(Path file, String named) {
        return file.resolveSibling(named).normalize();
    }

    private static List<Path> confFiles(Path folder) {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(p -> p.getFileName().toString().endsWith(".conf")
                            && !p.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(folder, IoReason.of(e)), e);
        }
    }

    private static String unquoted(String text) {
        if (!text.startsWith("'")) {
            return text;
        }
        StringBuilder out = new StringBuilder();
        for (int i = 1; i < text.length() - 1; i++) {
            char c = text.charAt(i);
            if (c == '\'') {
                i++;
                out.append('\'');
            } else if (c == '\\') {
                i = escaped(text, i + 1, out);
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    /** Returns where the escape ends. */
    private static int escaped(String text, int at, StringBuilder out) {
        Matcher octal = OCTAL.matcher(text).region(at, Math.min(at + 3, text.length() - 1));
        if (octal.lookingAt()) {
            out.append((char) Integer.parseInt(octal.group(), 8));
            return octal.end() - 1;
        }
        char c = text.charAt(at);
        out.append(
                switch (c) {
                    case 'b' -> '\b';
                    case 'f' -> '\f';
                    case 'n' -> '\n';
                    case 'r' -> '\r';
                    case 't' -> '\t';
                    default -> c;
                });
        return at;
    }

    /** As one file with a heading, each value in quotes. */
    public static String render(String heading, Map<String, String> values) {
        StringBuilder out = new StringBuilder();
        heading.lines().forEach(line -> out.append("# ").append(line).append('\n'));
        values.forEach((name, value) -> out.append(name)
                .append(" = '")
                .append(value.replace("\\", "\\\\").replace("'", "''"))
                .append("'\n"));
        return out.toString();
    }
}
