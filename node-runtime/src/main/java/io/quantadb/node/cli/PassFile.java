package io.quantadb.node.cli;

import io.quantadb.node.common.HostPort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Passwords as libpq's files have them, {@code host:port:database:user:password} a line: {@code *} for anything, a
 * backslash before a colon or a backslash that is meant. The first line that fits counts. Source: PostgreSQL
 * documentation, "The Password File".
 */
final class PassFile {
    private final List<List<String>> lines;

    private PassFile(List<List<String>> lines) {
        this.lines = lines;
    }

    static PassFile read(Path file) {
        try {
            return of(Files.readAllLines(file));
        } catch (IOException e) {
            throw new Failure(
                    ExitCode.CONFIG,
                    e instanceof NoSuchFileException
                            ? "%s does not exist".formatted(file)
                            : "%s cannot be read: %s".formatted(file, e.getMessage()),
                    "name a file in the form of libpq's .pgpass with --passfile",
                    e);
        }
    }

    static PassFile of(List<String> text) {
        List<List<String>> out = new ArrayList<>();
        for (String line : text) {
            List<String> fields = fields(line);
            if (!line.startsWith("#") && fields.size() == 5) {
                out.add(fields);
            }
        }
        return new PassFile(out);
    }

    /** One password for everybody. */
    static PassFile always(String password) {
        return new PassFile(List.of(List.of("*", "*", "*", "*", password)));
    }

    /**
     * The file that was named, else the demo's, else what libpq would take: {@code PGPASSWORD}, {@code PGPASSFILE},
     * {@code ~/.pgpass}. Empty when there is none.
     */
    static Optional<PassFile> find(@Nullable Path named, Optional<Path> demo, Map<String, String> environment) {
        if (named != null) {
            return Optional.of(read(named));
        }
        if (demo.isPresent()) {
            return demo.map(PassFile::read);
        }
        String password = environment.getOrDefault("PGPASSWORD", "");
        if (!password.isEmpty()) {
            return Optional.of(always(password));
        }
        String file = environment.getOrDefault("PGPASSFILE", "");
        Path usual = file.isEmpty() ? Path.of(environment.getOrDefault("HOME", "."), ".pgpass") : Path.of(file);
        return Files.isReadable(usual) ? Optional.of(read(usual)) : Optional.empty();
    }

    Optional<String> password(HostPort at, String database, String user) {
        List<String> wanted = List.of(at.host(), Integer.toString(at.port()), database, user);
        return lines.stream()
                .filter(line -> fits(line, wanted))
                .map(line -> line.get(4))
                .findFirst();
    }

    private static boolean fits(List<String> line, List<String> wanted) {
        for (int i = 0; i < wanted.size(); i++) {
            if (!line.get(i).equals("*") && !line.get(i).equals(wanted.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static List<String> fields(String line) {
        List<String> out = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\\' && i + 1 < line.length()) {
                field.append(line.charAt(++i));
            } else if (c == ':' && out.size() < 4) {
                out.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        out.add(field.toString());
        return out;
    }
}
