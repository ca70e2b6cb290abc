package io.quantadb.crd;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Quantity;
import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import io.quantadb.crd.v1alpha1.Storage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A default is the same whether the API server fills it in or a record's constructor does. */
class DefaultsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path fresh;

    /** Leaves only: groups without a value have none of their own. */
    private static Map<String, String> ofTheRecords() {
        var spec =
                new QuantaClusterSpec(null, null, null, new Storage(new Quantity("1Gi"), null), null, null, null, null);
        Map<String, String> found = new TreeMap<>();
        collect("", JSON.valueToTree(spec), found);
        found.remove("storage.size");
        return found;
    }

    private static void collect(String prefix, JsonNode node, Map<String, String> found) {
        node.properties().forEach(e -> {
            if (e.getValue().isObject()) {
                collect(prefix + e.getKey() + ".", e.getValue(), found);
            } else if (e.getValue().isValueNode()) {
                found.put(prefix + e.getKey(), e.getValue().asText());
            }
        });
    }

    private Map<String, String> ofTheSchema() throws IOException {
        Map<String, String> found = new TreeMap<>();
        new Schema(CrdFiles.generate(fresh))
                .fields("spec").stream()
                        .filter(field -> field.schema().has("default"))
                        .forEach(field -> found.put(
                                field.path(), field.schema().get("default").asText()));
        return found;
    }

    @Test
    void theRecordsAndTheSchemaHaveTheSameDefaults() throws IOException {
        assertThat(ofTheSchema())
                .isEqualTo(ofTheRecords())
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "instances", "3",
                        "images.pullPolicy", "IfNotPresent",
                        "replication.mode", "Quorum",
                        "bootstrap.database", "app",
                        "bootstrap.owner", "app"));
    }
}
