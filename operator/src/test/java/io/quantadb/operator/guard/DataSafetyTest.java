package io.quantadb.operator.guard;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.quantadb.operator.resource.KubernetesApi;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The operator cannot delete a volume: it has neither the words nor the permission for it. */
class DataSafetyTest {
    private static final Path PERMISSIONS = Path.of("../examples/operator/20-rbac.yaml");

    /** Resource to verbs, over all rules. */
    private static Map<String, Set<String>> permissions() throws IOException {
        var mapper = new ObjectMapper(new YAMLFactory());
        var permissions = new TreeMap<String, Set<String>>();
        for (String document : Files.readString(PERMISSIONS).split("(?m)^---$")) {
            JsonNode node = mapper.readTree(document);
            for (JsonNode rule : node.path("rules")) {
                rule.get("resources")
                        .forEach(resource -> rule.get("verbs")
                                .forEach(verb -> permissions
                                        .computeIfAbsent(resource.asText(), _ -> new HashSet<>())
                                        .add(verb.asText())));
            }
        }
        return permissions;
    }

    @Test
    void mayDeletePodsAndNothingElse() throws IOException {
        assertThat(permissions())
                .allSatisfy((resource, verbs) -> {
                    assertThat(verbs).as(resource).doesNotContain("*", "deletecollection", "escalate", "bind");
                    if (!resource.equals("pods")) {
                        assertThat(verbs).as(resource).doesNotContain("delete");
                    }
                })
                .containsKey("statefulsets");
    }

    @Test
    void mayLookAtVolumesAndNoMore() throws IOException {
        assertThat(permissions().get("persistentvolumeclaims")).containsExactlyInAnyOrder("get", "list");
        assertThat(permissions()).doesNotContainKeys("persistentvolumes", "namespaces", "nodes", "*");
    }

    @Test
    void mayNotReadSecretsThatItCannotName() throws IOException {
        assertThat(permissions().get("secrets")).containsExactlyInAnyOrder("get", "create", "patch");
    }

    @Test
    void theStepsCanDeletePodsAndNothingElse() {
        assertThat(Arrays.stream(KubernetesApi.class.getMethods()).map(Method::getName))
                .containsExactlyInAnyOrder(
                        "budgetsAreV1",
                        "secret",
                        "configMap",
                        "statefulSet",
                        "pods",
                        "claims",
                        "apply",
                        "create",
                        "tell",
                        "deletePod",
                        "labelPod");
    }

    @Test
    void nothingElseSpeaksToTheServer() {
        noClasses()
                .that()
                .resideOutsideOfPackage("..operator.resource..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.fabric8.kubernetes.client.dsl..")
                .check(new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("io.quantadb.operator"));
    }
}
