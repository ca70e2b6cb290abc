package io.quantadb.node.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Reads one JSON object into {@link Settings}. It streams, because a tree or object mapper costs start-up time and
 * memory that a node otherwise does not need. Unknown keys, keys given twice and values of a wrong kind are refused
 * with their line.
 */
final class JsonSettings {
    private static final Pattern PLACE =
            Pattern.compile(" ?\\((start marker )?at \\[Source:[^]]*\\]\\)|\\s+at \\[Source:[^]]*\\]");

    private final Settings into;
    private final String origin;

    private JsonSettings(Settings into, String origin) {
        this.into = into;
        this.origin = origin;
    }

    static void read(String json, String origin, Settings into) {
        try (JsonParser parser = factory().createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new ConfigException("%s must hold one JSON object".formatted(origin));
            }
            new JsonSettings(into, origin).group(parser, "");
            if (parser.nextToken() != null) {
                throw new ConfigException("%s has more text after its JSON object".formatted(origin));
            }
        } catch (JsonProcessingException e) {
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
            throw new ConfigException(
                    "%s is not valid JSON at line %d: %s".formatted(origin, line, plain(e.getOriginalMessage())), e);
        } catch (IOException e) {
            throw new ConfigException("%s could not be read: %s".formatted(origin, e.getMessage()), e);
        }
    }

    /** Without the parser's notes on places, which repeat the line and name switches of its own. */
    private static String plain(String words) {
        return PLACE.matcher(words).replaceAll("");
    }

    /** Reads the JSON text that an environment variable or flag may hold for a list or map. */
    static Settings.Value value(Key key, String json, String origin) {
        try (JsonParser parser = factory().createParser(json)) {
            parser.nextToken();
            return new JsonSettings(new Settings(java.nio.file.Path.of("")), origin).leaf(parser, key);
        } catch (IOException e) {
            throw new ConfigException("%s is not valid JSON (from %s)".formatted(key.path(), origin), e);
        }
    }

    private static JsonFactory factory() {
        return JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(16)
                        .maxStringLength(65_536)
                        .build())
                .build();
    }

    private void group(JsonParser parser, String prefix) throws IOException {
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String path = prefix + parser.currentName();
            String where = at(parser);
            JsonToken token = parser.nextToken();
            if (Keys.isKnown(path)) {
                into.put(path, leaf(parser, Keys.get(path)));
            } else if (!Keys.isGroup(path)) {
                throw new ConfigException(
                        "unknown setting '%s'%s (from %s)".formatted(path, Keys.suggestion(path), where));
            } else if (token == JsonToken.START_OBJECT) {
                group(parser, path + ".");
            } else {
                throw new ConfigException("%s must be an object of settings (from %s)".formatted(path, where));
            }
        }
    }

    private Settings.Value leaf(JsonParser parser, Key key) throws IOException {
        return switch (key.kind()) {
            case LIST -> Settings.Value.list(list(parser, key), at(parser));
            case MAP -> Settings.Value.map(map(parser, key), at(parser));
            default -> Settings.Value.text(scalar(parser, key.path()), at(parser));
        };
    }

    private List<String> list(JsonParser parser, Key key) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw new ConfigException("%s must be a list (from %s)".formatted(key.path(), at(parser)));
        }
        List<String> out = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            out.add(scalar(parser, key.path()));
        }
        return out;
    }

    private Map<String, String> map(JsonParser parser, Key key) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new ConfigException("%s must be an object (from %s)".formatted(key.path(), at(parser)));
        }
        Map<String, String> out = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            parser.nextToken();
            out.put(name, scalar(parser, key.path() + "." + name));
        }
        return out;
    }

    private String scalar(JsonParser parser, String path) throws IOException {
        JsonToken token = parser.currentToken();
        if (token == null || !token.isScalarValue() || token == JsonToken.VALUE_NULL) {
            throw new ConfigException("%s must be a single value, not %s (from %s)"
                    .formatted(path, token == JsonToken.VALUE_NULL ? "null" : "an object or list", at(parser)));
        }
        return parser.getText();
    }

    private String at(JsonParser parser) {
        int line = parser.currentTokenLocation().getLineNr();
        return line > 0 && origin.startsWith("file ") ? origin + " line " + line : origin;
    }
}
