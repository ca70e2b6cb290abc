package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a change's body, a flat JSON object. Fields that are not known are refused, since who sends one expects it
 * to have an effect. Every getter says what is wrong in words for the sender.
 */
final class Fields {
    private static final JsonFactory FACTORY = new JsonFactory();

    /** Why a body was refused, in words for its sender. */
    static final class Malformed extends Exception {
        Malformed(String why) {
            super(why);
        }
    }

    private final Map<String, Object> values;

    private Fields(Map<String, Object> values) {
        this.values = values;
    }

    /** @param known the fields that may be there; their values are texts, whole numbers or truth values */
    static Fields parse(byte[] body, Set<String> known) throws Malformed {
        Map<String, Object> values = new TreeMap<>();
        try (JsonParser json = FACTORY.createParser(body)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new Malformed("the body is no JSON object");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                if (!known.contains(field)) {
                    throw new Malformed("'%s' is not known; the body may have %s"
                            .formatted(field, known.stream().sorted().collect(Collectors.joining(", "))));
                }
                values.put(field, value(json, field));
            }
            if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
                throw new Malformed("the body is not one JSON object");
            }
        } catch (IOException e) {
            throw new Malformed("the body is no JSON");
        }
        return new Fields(values);
    }

    private static Object value(JsonParser json, String field) throws IOException, Malformed {
        return switch (json.nextToken()) {
            case VALUE_STRING -> json.getText();
            case VALUE_NUMBER_INT -> json.getLongValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case null, default ->
                throw new Malformed("'%s' must be a text, a whole number, true or false".formatted(field));
        };
    }

    @Nullable
    String text(String field, Pattern shape, String words) throws Malformed {
        Object value = values.get(field);
        if (value == null) {
            return null;
        }
        if (!(value instanceof String text) || !shape.matcher(text).matches()) {
            throw new Malformed("'%s' must be %s".formatted(field, words));
        }
        return text;
    }

    boolean has(String field) {
        return values.containsKey(field);
    }

    boolean flag(String field, boolean otherwise) throws Malformed {
        Object value = values.getOrDefault(field, otherwise);
        if (!(value instanceof Boolean flag)) {
            throw new Malformed("'%s' must be true or false".formatted(field));
        }
        return flag;
    }

    @Nullable
    Long number(String field, long least, long most) throws Malformed {
        Object value = values.get(field);
        if (value == null) {
            return null;
        }
        if (!(value instanceof Long number) || number < least || number > most) {
            throw new Malformed("'%s' must be a whole number from %d to %d".formatted(field, least, most));
        }
        return number;
    }

    <E extends Enum<E>> @Nullable E choice(String field, Class<E> type) throws Malformed {
        Object value = values.get(field);
        if (value == null) {
            return null;
        }
        for (E constant : type.getEnumConstants()) {
            if (value instanceof String text
                    && constant.name().toLowerCase(Locale.ROOT).equals(text)) {
                return constant;
            }
        }
        throw new Malformed("'%s' must be one of %s"
                .formatted(
                        field,
                        Arrays.stream(type.getEnumConstants())
                                .map(c -> c.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))));
    }
}
