package io.quantadb.operator.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.quantadb.operator.testing.TestingServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Applies every file of {@code examples/} to a real API server, without anything being kept there. */
class ExamplesIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> OF_THE_WHOLE_CLUSTER = Set.of("Namespace", "ClusterRole", "ClusterRoleBinding");

    private static TestingServer server;

    @BeforeAll
    static void findsAServer() throws IOException {
        server = TestingServer.orSkip();
    }

    @AfterAll
    static void leavesTheServer() {
        if (server != null) {
            server.close();
        }
    }

    static List<Path> files() {
        return Examples.files();
    }

    /** A server drops silently what a schema does not know, a misspelt field for example. */
    @ParameterizedTest
    @MethodSource("files")
    void theServerTakesEveryFieldOf(Path file) throws IOException {
        List<JsonNode> objects = Examples.objects(file);
        assertThat(objects).isNotEmpty();
        for (JsonNode object : objects) {
            JsonNode wanted = here(object);
            var taken = server.client()
                    .resource(JSON.treeToValue(wanted, GenericKubernetesResource.class))
                    .dryRun()
                    .fieldManager("quantadb-it")
                    .forceConflicts()
                    .serverSideApply();
            assertThat(missing("", wanted, JSON.valueToTree(taken)))
                    .as("what the server made otherwise of %s", object.at("/metadata/name"))
                    .isEmpty();
        }
    }

    /** The same in the test's namespace; its own may not be there. */
    private static JsonNode here(JsonNode object) {
        ObjectNode here = object.deepCopy();
        if (!OF_THE_WHOLE_CLUSTER.contains(object.path("kind").asText())) {
            ((ObjectNode) here.get("metadata")).put("namespace", server.namespace());
        }
        return here;
    }

    /** The places where {@code taken} is not what is wanted; it may have more. */
    private static List<String> missing(String place, JsonNode wanted, JsonNode taken) {
        var missing = new ArrayList<String>();
        if (wanted.isObject()) {
            wanted.properties()
                    .forEach(e ->
                            missing.addAll(missing(place + "/" + e.getKey(), e.getValue(), taken.path(e.getKey()))));
        } else if (wanted.isArray() && wanted.size() == taken.size()) {
            for (int i = 0; i < wanted.size(); i++) {
                missing.addAll(missing(place + "/" + i, wanted.get(i), taken.get(i)));
            }
        } else if (wanted.isArray() || !wanted.asText().equals(taken.asText())) {
            missing.add("%s: wanted %s, is %s".formatted(place, wanted, taken));
        }
        return missing;
    }
}
