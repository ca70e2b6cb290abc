package io.quantadb.crd;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reference page says what the schema says; {@code make crds} writes it anew. */
class ReferencePageTest {
    private static final Path PAGE = Path.of("../docs/reference/quantacluster.md");

    @TempDir
    Path fresh;

    private Schema schema() throws IOException {
        return new Schema(CrdFiles.generate(fresh));
    }

    @Test
    void thePageIsWhatTheSchemaSays() throws IOException {
        String page = page(schema());
        if (Boolean.getBoolean("crds.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE))
                .as("%s; run 'make crds' and look at the difference", PAGE)
                .isEqualTo(page);
    }

    @Test
    void everyFieldSaysWhatItIsFor() throws IOException {
        Schema schema = schema();
        List<Schema.Field> fields = new ArrayList<>(schema.fields("spec"));
        fields.addAll(schema.fields("status"));
        assertThat(fields)
                .filteredOn(field -> !field.isGroup() && field.description().isBlank())
                .extracting(Schema.Field::path)
                .isEmpty();
    }

    private static String page(Schema schema) {
        return """
                # QuantaCluster reference

                Generated from `crds/generated` by `make crds`; a test compares.

                `apiVersion: quantadb.io/v1alpha1`, `kind: QuantaCluster`, short name `qc`, namespaced. `kubectl get qc` prints
                %s. `kubectl scale qc NAME --replicas=N` sets `spec%s`.

                Rules between fields are checked by the operator and told in condition `Stalled`; see
                [ADR 0014](../adr/0014-no-rules-in-the-schema.md).

                ## spec

                | Field | Type | Default | Allowed | What it is for |
                |---|---|---|---|---|
                %s
                ## status

                Written by the operator alone.

                | Field | Type | What it tells |
                |---|---|---|
                %s""".formatted(
                        String.join(", ", schema.columns()),
                        schema.scale().path("specReplicasPath").asText().substring(".spec".length()),
                        schema.fields("spec").stream()
                                .filter(field -> !field.isGroup())
                                .map(ReferencePageTest::specRow)
                                .collect(Collectors.joining()),
                        schema.fields("status").stream()
                                .filter(field -> !field.isGroup())
                                .map(field -> "| `%s` | %s | %s |%n"
                                        .formatted(field.path(), field.type(), cell(field.description())))
                                .collect(Collectors.joining()));
    }

    private static String specRow(Schema.Field field) {
        JsonNode fallback = field.schema().path("default");
        String byDefault =
                fallback.isMissingNode() ? field.required() ? "required" : "none" : "`" + fallback.asText() + "`";
        return "| `%s` | %s | %s | %s | %s |%n"
                .formatted(field.path(), field.type(), byDefault, allowed(field.schema()), cell(field.description()));
    }

    private static String allowed(JsonNode schema) {
        if (schema.has("enum")) {
            List<String> words = new ArrayList<>();
            schema.get("enum").forEach(word -> words.add("`" + word.asText() + "`"));
            return String.join(", ", words);
        }
        if (schema.has("minimum")) {
            return "%d to %d"
                    .formatted(
                            schema.get("minimum").asInt(), schema.get("maximum").asInt());
        }
        return schema.has("pattern") ? "`" + cell(schema.get("pattern").asText()) + "`" : "any";
    }

    /** A bar would end the cell, and an angle bracket begin a tag. */
    private static String cell(String text) {
        return text.replace("|", "\\|").replace("<", "&lt;");
    }
}
