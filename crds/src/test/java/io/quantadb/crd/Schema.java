package io.quantadb.crd;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The schema as a list of fields. */
final class Schema {
    private final JsonNode version;

    /** @param file a custom resource definition with one version */
    Schema(Path file) throws IOException {
        version = new ObjectMapper(new YAMLFactory()).readTree(file.toFile()).at("/spec/versions/0");
    }

    /**
     * One field.
     *
     * @param path with dots from below {@code spec} or {@code status}; {@code []} after a list
     * @param schema what is said of it
     */
    record Field(String path, JsonNode schema, boolean required) {
        /** Holds other fields and nothing by itself. */
        boolean isGroup() {
            return schema.has("properties");
        }

        boolean isListOfGroups() {
            return schema.at("/items/properties").isObject();
        }

        String description() {
            return schema.path("description").asText();
        }

        /** In a reader's words. */
        String type() {
            if (schema.path("x-kubernetes-int-or-string").asBoolean()) {
                return "quantity";
            }
            return switch (schema.path("type").asText()) {
                case "array" -> isListOfGroups() ? "list" : "list of texts";
                case "object" ->
                    schema.at("/additionalProperties/type").asText().equals("string")
                            ? "map of texts"
                            : schema.has("additionalProperties") ? "map of quantities" : "group";
                case "string" -> "text";
                case "integer" -> "number";
                case String other -> other;
            };
        }
    }

    /** All columns that kubectl prints, in order. */
    List<String> columns() {
        List<String> names = new ArrayList<>();
        version.path("additionalPrinterColumns")
                .forEach(column -> names.add(column.path("name").asText()));
        return names;
    }

    JsonNode scale() {
        return version.at("/subresources/scale");
    }

    /** The fields below {@code spec} or {@code status}, groups before what is in them. */
    List<Field> fields(String part) {
        List<Field> fields = new ArrayList<>();
        collect("", version.at("/schema/openAPIV3Schema/properties/" + part), fields);
        return fields;
    }

    private static void collect(String prefix, JsonNode group, List<Field> fields) {
        List<String> required = new ArrayList<>();
        group.path("required").forEach(name -> required.add(name.asText()));
        group.path("properties").properties().forEach(e -> {
            var field = new Field(prefix + e.getKey(), e.getValue(), required.contains(e.getKey()));
            fields.add(field);
            if (field.isGroup()) {
                collect(field.path() + ".", e.getValue(), fields);
            } else if (field.isListOfGroups()) {
                collect(field.path() + "[].", e.getValue().get("items"), fields);
            }
        });
    }
}
