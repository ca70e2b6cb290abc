package io.quantadb.operator.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.testing.Clusters.Seen;
import io.quantadb.operator.validation.ClusterValidator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExamplesTest {
    /** A folder counts as one entry. */
    @Test
    void theIndexHasEveryExample() throws IOException {
        List<String> entries = Examples.files().stream()
                .map(file -> Examples.FOLDER.relativize(file).getName(0).toString())
                .distinct()
                .toList();
        String index = Files.readString(Examples.FOLDER.resolve("README.md"));

        assertThat(entries).contains("01-quickstart.yaml", "operator");
        assertThat(entries).allSatisfy(entry -> assertThat(index).contains("](" + entry + ")"));
    }

    @Test
    void theOperatorRefusesNoExample() throws IOException {
        int clusters = 0;
        for (Path file : Examples.files()) {
            for (JsonNode object : Examples.objects(file)) {
                if (object.path("kind").asText().equals("QuantaCluster")) {
                    clusters++;
                    QuantaCluster cluster = Serialization.unmarshal(object.toString(), QuantaCluster.class);
                    var ref = new ClusterRef("shop", cluster.getMetadata().getName(), "uid");
                    assertThat(ClusterValidator.findings(
                                    ref,
                                    cluster.getSpec(),
                                    QuantaClusterStatus.none(),
                                    Seen.nothing().done()))
                            .as("%s", file)
                            .isEmpty();
                }
            }
        }
        assertThat(clusters).isPositive();
    }
}
