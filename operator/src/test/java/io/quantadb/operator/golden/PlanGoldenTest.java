package io.quantadb.operator.golden;

import static io.quantadb.operator.testing.Clusters.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.Finding;
import io.quantadb.operator.model.ImageChoice;
import io.quantadb.operator.model.ObservedCluster;
import io.quantadb.operator.model.ObservedCluster.Certificate;
import io.quantadb.operator.model.ObservedCluster.Membership;
import io.quantadb.operator.model.ObservedCluster.NodeReport;
import io.quantadb.operator.model.ObservedCluster.PodFacts;
import io.quantadb.operator.model.Planner;
import io.quantadb.operator.model.Step;
import io.quantadb.operator.testing.Clusters;
import io.quantadb.operator.validation.ClusterValidator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A resource and what is there ({@code in}) against the steps and objects that are to come of it ({@code expected}). The
 * expected files are written by hand: the steps one a line, an object as {@code Kind-name.yaml}, merged over that of case
 * {@code fresh} where a case has one of its own.
 */
class PlanGoldenTest {
    private static final Path CASES = Path.of("src/test/resources/golden");
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final ObjectMapper JSON = new ObjectMapper();

    static List<String> cases() throws IOException {
        try (Stream<Path> folders = Files.list(CASES)) {
            return folders.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void givesTheExpectedPlan(String name) throws IOException {
        // Given
        Path in = CASES.resolve(name).resolve("in");
        QuantaCluster cluster =
                Serialization.unmarshal(Files.readString(in.resolve("cluster.yaml")), QuantaCluster.class);
        ClusterRef ref = ClusterRef.of(cluster);
        QuantaClusterStatus kept = Optional.ofNullable(cluster.getStatus()).orElse(QuantaClusterStatus.none());
        ObservedCluster seen =
                observation(ref, YAML.readTree(in.resolve("observation.yaml").toFile()));

        // When
        List<Finding> findings = ClusterValidator.findings(ref, cluster.getSpec(), kept, seen);
        List<Step> steps = new Planner(ref, cluster.getSpec(), kept, seen, NOW)
                .plan(findings, ImageChoice.of(cluster.getSpec(), kept, "quantadb.io/node", "1.0"))
                .steps();

        // Then
        Path expected = CASES.resolve(name).resolve("expected");
        assertThat(lines(findings, steps)).isEqualTo(Files.readAllLines(expected.resolve("plan.txt")));
        Set<String> applied = new HashSet<>();
        for (Step step : steps) {
            if (step instanceof Step.Apply(HasMetadata object)) {
                String file = object.getKind() + "-" + object.getMetadata().getName() + ".yaml";
                applied.add(file);
                JsonNode actual = comparable(YAML.readTree(Serialization.asYaml(object)));
                assertThat(actual.toPrettyString())
                        .as(file)
                        .isEqualTo(comparable(expected(expected, file)).toPrettyString());
            }
        }
        assertThat(applied).containsAll(files(expected));
    }

    private static List<String> lines(List<Finding> findings, List<Step> steps) {
        return Stream.concat(
                        findings.stream().map(f -> "finding " + f.reason() + (f.blocking() ? ", blocking" : "")),
                        steps.stream().map(PlanGoldenTest::line))
                .toList();
    }

    private static String line(Step step) {
        return switch (step) {
            case Step.CreateAuthority() -> "CreateAuthority";
            case Step.CreateSuperuserSecret() -> "CreateSuperuserSecret";
            case Step.CreateAppSecret(String database, String owner) -> "CreateAppSecret " + database + " " + owner;
            case Step.IssueCertificates(List<String> nodes) -> "IssueCertificates " + String.join(" ", nodes);
            case Step.Apply(HasMetadata object) ->
                "Apply " + object.getKind() + " " + object.getMetadata().getName();
            case Step.ReplacePod(String pod, String uid, String _) -> {
                assertThat(uid).isEqualTo("uid-" + pod);
                yield "ReplacePod " + pod;
            }
            case Step.RecordPermission(String pod) -> "RecordPermission " + pod;
            case Step.GivePermission(String pod) -> "GivePermission " + pod;
            case Step.LabelRole(String pod, String uid, String role) -> {
                assertThat(uid).isEqualTo("uid-" + pod);
                yield "LabelRole " + pod + " " + role;
            }
        };
    }

    private static Set<String> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(p -> p.getFileName().toString())
                    .filter(f -> f.endsWith(".yaml"))
                    .collect(Collectors.toSet());
        }
    }

    private static JsonNode expected(Path folder, String file) throws IOException {
        JsonNode base =
                YAML.readTree(CASES.resolve("fresh/expected").resolve(file).toFile());
        Path own = folder.resolve(file);
        return Files.exists(own) ? merged(base, YAML.readTree(own.toFile())) : base;
    }

    private static JsonNode merged(JsonNode base, JsonNode over) {
        if (!(base instanceof ObjectNode object) || !over.isObject()) {
            return over;
        }
        ObjectNode result = object.deepCopy();
        over.properties()
                .forEach(e -> result.set(
                        e.getKey(), base.has(e.getKey()) ? merged(base.get(e.getKey()), e.getValue()) : e.getValue()));
        return result;
    }

    /** With sorted keys, and JSON in texts as what it is, so that order and white space make no difference. */
    private static JsonNode comparable(JsonNode node) throws IOException {
        if (node.isTextual() && node.asText().startsWith("{")) {
            return comparable(JSON.readTree(node.asText()));
        }
        if (node.isObject()) {
            ObjectNode sorted = JSON.createObjectNode();
            for (var entry : node.properties().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .toList()) {
                sorted.set(entry.getKey(), comparable(entry.getValue()));
            }
            return sorted;
        }
        if (node.isArray()) {
            var list = JSON.createArrayNode();
            for (JsonNode each : node) {
                list.add(comparable(each));
            }
            return list;
        }
        return node;
    }

    private static ObservedCluster observation(ClusterRef ref, JsonNode in) {
        Set<String> secrets = texts(in.path("secrets"));
        Map<String, Certificate> certificates = new HashMap<>();
        in.path("certificates").properties().forEach(e -> {
            Instant from = NOW.minus(Duration.ofDays(e.getValue().asText().equals("old") ? 300 : 1));
            certificates.put(
                    e.getKey(),
                    new Certificate(
                            from,
                            from.plus(Duration.ofDays(365)),
                            new HashSet<>(Planner.names(ref, e.getKey())),
                            true));
        });
        List<PodFacts> pods = new ArrayList<>();
        in.path("pods")
                .forEach(p -> pods.add(new PodFacts(
                        p.path("name").asText(),
                        "uid-" + p.path("name").asText(),
                        "10.0.0.1",
                        p.path("ready").asBoolean(),
                        false,
                        p.path("revision").asText(),
                        p.path("role").asText(),
                        p.path("claimMissing").asBoolean(),
                        "")));
        Map<String, NodeReport> nodes = new HashMap<>();
        in.path("nodes").properties().forEach(e -> nodes.put(e.getKey(), report(e.getKey(), e.getValue())));
        JsonNode workload = in.path("workload");
        return new ObservedCluster(
                in.path("budgets").asText("v1").equals("v1"),
                new ObservedCluster.Secrets(
                        secrets.contains("authority"), secrets.contains("superuser"), secrets.contains("app")),
                secrets.contains("authority")
                        ? Optional.of(new ObservedCluster.Authority(NOW.plus(Duration.ofDays(3000))))
                        : Optional.empty(),
                certificates,
                workload.isMissingNode()
                        ? Optional.empty()
                        : Optional.of(new ObservedCluster.Workload(
                                workload.path("replicas").asInt(),
                                true,
                                workload.path("revision").asText(),
                                new Quantity(workload.path("storage").asText()),
                                null)),
                Optional.empty(),
                pods,
                texts(in.path("claims")),
                nodes,
                List.of());
    }

    private static NodeReport report(String pod, JsonNode said) {
        return switch (said.asText()) {
            case "blank" -> new NodeReport.Answered(Membership.NONE, "STANDBY", false, "", 0, "", "");
            case "silent" -> new NodeReport.Silent("no answer within 2000 ms");
            default -> {
                boolean serving = said.path("serving").asBoolean();
                yield new NodeReport.Answered(
                        Membership.MEMBER,
                        said.path("role").asText(),
                        serving,
                        serving ? pod : "",
                        said.path("epoch").asLong(),
                        "",
                        Clusters.CLUSTER_ID);
            }
        };
    }

    private static Set<String> texts(JsonNode list) {
        Set<String> texts = new HashSet<>();
        list.forEach(each -> texts.add(each.asText()));
        return texts;
    }
}
