package io.quantadb.node.config;

import io.quantadb.node.common.HostPort;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The values that were set, each with where it came from, and typed reading of them. Later layers replace earlier ones;
 * a list or map is replaced as a whole. Not shared between threads.
 */
final class Settings {
    /** One value as text, list or map; exactly one of them is used, by the key's kind. */
    record Value(String text, List<String> list, Map<String, String> map, String origin) {
        static Value text(String text, String origin) {
            return new Value(text, List.of(), Map.of(), origin);
        }

        static Value list(List<String> list, String origin) {
            return new Value(String.join(",", list), List.copyOf(list), Map.of(), origin);
        }

        static Value map(Map<String, String> map, String origin) {
            return new Value(map.toString(), List.of(), Map.copyOf(map), origin);
        }
    }

    private final Map<String, Value> values = new LinkedHashMap<>();
    private final Path workDir;

    Settings(Path workDir) {
        this.workDir = workDir;
    }

    void put(String path, Value value) {
        values.put(path, value);
    }

    boolean has(String path) {
        return values.containsKey(path);
    }

    Optional<String> text(String path) {
        Value value = values.get(path);
        if (value != null) {
            return Optional.of(value.text());
        }
        String fallback = Keys.get(path).fallback();
        return fallback.isEmpty() ? Optional.empty() : Optional.of(fallback);
    }

    String required(String path) {
        return text(path).orElseThrow(() -> new ConfigException("%s is not set".formatted(path)));
    }

    int number(String path) {
        return read(path, text -> {
            try {
                return Integer.parseInt(text);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("is not a whole number", e);
            }
        });
    }

    Duration duration(String path) {
        return read(path, Durations::parse);
    }

    DataSize size(String path) {
        return read(path, DataSize::parse);
    }

    /** A size that {@code 0}, without a unit, or nothing switches off. */
    DataSize sizeOrNone(String path) {
        return read(path, text -> text.isBlank() || text.strip().equals("0") ? new DataSize(0) : DataSize.parse(text));
    }

    <E extends Enum<E>> E choice(String path, Class<E> type) {
        return read(path, text -> {
            for (E constant : type.getEnumConstants()) {
                if (constant.name().toLowerCase(Locale.ROOT).equals(text)) {
                    return constant;
                }
            }
            throw new IllegalArgumentException("is not one of " + Keys.get(path).bounds());
        });
    }

    @Nullable
    Path path(String path) {
        if (text(path).isEmpty()) {
            return null;
        }
        return read(path, text -> {
            try {
                return workDir.resolve(text).toAbsolutePath().normalize();
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException("is not a path", e);
            }
        });
    }

    @Nullable
    HostPort address(String path) {
        return text(path).isEmpty() ? null : read(path, Settings::hostPort);
    }

    List<HostPort> addresses(String path) {
        List<HostPort> out = new ArrayList<>();
        for (String text : list(path)) {
            try {
                out.add(hostPort(text));
            } catch (IllegalArgumentException e) {
                throw refused(path, text, e);
            }
        }
        return out;
    }

    List<String> list(String path) {
        Value value = values.get(path);
        return value == null ? List.of() : value.list();
    }

    Map<String, String> map(String path) {
        Value value = values.get(path);
        return value == null ? Map.of() : value.map();
    }

    /** Builds a record, whose constructor's complaint is told with the origin of every setting that it names. */
    <T> T build(Function<Settings, T> builder) {
        try {
            return builder.apply(this);
        } catch (IllegalArgumentException e) {
            String words = String.valueOf(e.getMessage());
            throw new ConfigException(words + origins(words), e);
        }
    }

    private <T> T read(String path, Function<String, T> parser) {
        String text = required(path);
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException e) {
            throw refused(path, text, e);
        }
    }

    private ConfigException refused(String path, String text, IllegalArgumentException cause) {
        Value value = values.get(path);
        String origin = value == null ? "the default" : value.origin();
        String bounds = Keys.get(path).bounds();
        String words = String.valueOf(cause.getMessage());
        String expected = words.contains(bounds) ? "" : "; expected: " + bounds;
        return new ConfigException("%s=%s %s%s (from %s)".formatted(path, text, words, expected, origin), cause);
    }

    private static HostPort hostPort(String text) {
        try {
            return HostPort.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("is not host:port with a port from 1 to 65535", e);
        }
    }

    /** Where the settings named in some words come from, as {@code " (port from --port)"}. */
    private String origins(String words) {
        List<String> out = new ArrayList<>();
        for (Map.Entry<String, Value> entry : values.entrySet()) {
            if (names(words, entry.getKey())) {
                out.add(entry.getKey() + " from " + entry.getValue().origin());
            }
        }
        return out.isEmpty() ? "" : " (" + String.join(", ", out) + ")";
    }

    private static boolean names(String words, String path) {
        int at = words.indexOf(path);
        while (at >= 0) {
            int end = at + path.length();
            // "host:port" is no mention of the port.
            boolean startsThere = at == 0 || !(isPart(words.charAt(at - 1)) || words.charAt(at - 1) == ':');
            boolean endsThere = end == words.length() || !isPart(words.charAt(end));
            if (startsThere && endsThere) {
                return true;
            }
            at = words.indexOf(path, at + 1);
        }
        return false;
    }

    private static boolean isPart(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '.';
    }
}
