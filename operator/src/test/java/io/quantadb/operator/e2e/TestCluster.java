package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.e2e.AuditedWriter.Audit;
import io.quantadb.operator.resource.SecretShapes;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** The quick start's cluster in a namespace of its own, and what tests do with it. */
final class TestCluster implements AutoCloseable {
    /** The name that {@code examples/01-quickstart.yaml} gives. */
    static final String NAME = "quickstart";

    /** Every namespace that a test made has it, so that {@code hack/run-e2e} can remove what an aborted run left. */
    private static final String LABEL = "quantadb.io/e2e";

    private static final Path QUICKSTART = Path.of("../examples/01-quickstart.yaml");
    private static final Duration UP_WITHIN = Duration.ofMinutes(5);
    private static final int ROWS_BEFORE = 100;

    /** About three seconds of writing: long enough to meet whatever follows a failover. */
    private static final int ROWS_AFTER = 500;

    private final KubernetesClient client;
    private final String namespace;
    private final Operator operator;

    private TestCluster(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
        this.operator = new Operator(client);
    }

    /** An empty namespace; the cluster is not applied yet. */
    static TestCluster in(String namespace) {
        Assumptions.assumeTrue(
                System.getenv("KUBECONFIG") != null, "KUBECONFIG names no cluster; 'make e2e' starts or finds one");
        KubernetesClient client = new KubernetesClientBuilder().build();
        client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(namespace)
                        .addToLabels(LABEL, "true")
                        .endMetadata()
                        .build())
                .create();
        return new TestCluster(client, namespace);
    }

    /** Lines of the test's output that a person reads. */
    static void say(String words) {
        System.out.println("e2e: " + words);
    }

    static double seconds(long sinceNanos) {
        return (System.nanoTime() - sinceNanos) / 1e9;
    }

    TestCluster apply() {
        QuantaCluster cluster =
                client.resources(QuantaCluster.class).load(QUICKSTART.toFile()).item();
        client.resource(cluster).inNamespace(namespace).create();
        return this;
    }

    KubernetesClient client() {
        return client;
    }

    Operator operator() {
        return operator;
    }

    String namespace() {
        return namespace;
    }

    QuantaClusterStatus status() {
        return Optional.ofNullable(client.resources(QuantaCluster.class)
                        .inNamespace(namespace)
                        .withName(NAME)
                        .get())
                .map(QuantaCluster::getStatus)
                .orElse(QuantaClusterStatus.none());
    }

    boolean holds(String condition) {
        return status().condition(condition).filter(c -> c.holds()).isPresent();
    }

    TestCluster awaits(String condition) {
        await("condition " + condition)
                .atMost(UP_WITHIN)
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> assertThat(status().condition(condition))
                        .hasValueSatisfying(
                                c -> assertThat(c.holds()).as("%s", c).isTrue()));
        return this;
    }

    String primary() {
        String primary = status().currentPrimary();
        assertThat(primary).as("the primary in the status").isNotNull();
        return primary;
    }

    String aReplica() {
        String primary = primary();
        return status().members().stream()
                .map(QuantaClusterStatus.Member::name)
                .filter(name -> !name.equals(primary))
                .findFirst()
                .orElseThrow();
    }

    /** The pod, or empty while there is none of this name. */
    Optional<Pod> pod(String name) {
        return Optional.ofNullable(
                client.pods().inNamespace(namespace).withName(name).get());
    }

    String uid(String pod) {
        return pod(pod).map(p -> p.getMetadata().getUid()).orElse("");
    }

    ContainerStatus container(String pod) {
        return pod(pod).stream()
                .flatMap(p -> p.getStatus().getContainerStatuses().stream())
                .findFirst()
                .orElseThrow();
    }

    /** Deletes the pod as if its machine were gone: no goodbye, no waiting. */
    void deleteAtOnce(String pod) {
        client.pods().inNamespace(namespace).withName(pod).withGracePeriod(0).delete();
    }

    void awaitAnotherPod(String name, String uidBefore) {
        await("another pod " + name)
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(200))
                .until(() -> !uid(name).isEmpty() && !uid(name).equals(uidBefore));
    }

    String secret(String key) {
        return SecretShapes.text(
                        client.secrets()
                                .inNamespace(namespace)
                                .withName(NAME + "-app")
                                .get(),
                        key)
                .orElseThrow();
    }

    String address(String service) {
        return client.services()
                .inNamespace(namespace)
                .withName(service)
                .get()
                .getSpec()
                .getClusterIP();
    }

    /** A session of the database's owner on this address's SQL port. */
    Connection connect(String host) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://" + host + ":5432/app?connectTimeout=2&socketTimeout=5",
                secret("username"),
                secret("password"));
    }

    /** Something that takes the primary away and makes sure that it did. */
    @FunctionalInterface
    interface Strike {
        void at(String primary) throws Exception;
    }

    /** Strikes the primary while rows are written through {@code -rw}, waits for rows after that, and audits them. */
    void survives(String what, Strike strike) throws Exception {
        String before = primary();
        try (var writer = new AuditedWriter(address(NAME + "-rw"), secret("username"), secret("password")).start()) {
            await("first rows").atMost(Duration.ofSeconds(30)).until(() -> writer.acknowledgedCount() > ROWS_BEFORE);
            int count = writer.acknowledgedCount();
            strike.at(before);
            await("rows after: " + what)
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> writer.acknowledgedCount() > count + ROWS_AFTER);
            Audit audit = writer.audit();
            say("%s: gap %d ms, %d acknowledged, %d lost, %d duplicated"
                    .formatted(
                            what,
                            audit.longestGap().toMillis(),
                            audit.acknowledged(),
                            audit.lost(),
                            audit.duplicated()));
            assertThat(audit.lost()).as("acknowledged rows that are gone").isZero();
            assertThat(audit.duplicated()).isZero();
        }
    }

    /** What is left in the namespace of these kinds with the cluster's label, as kind/name. */
    List<String> left(String kinds) {
        return Commands.run(
                        Duration.ofSeconds(20),
                        Map.of(),
                        "kubectl",
                        "-n",
                        namespace,
                        "get",
                        kinds,
                        "-l",
                        "quantadb.io/cluster=" + NAME,
                        "-o",
                        "name")
                .lines()
                .filter(line -> line.contains("/"))
                .toList();
    }

    @Override
    public void close() {
        client.namespaces().withName(namespace).delete();
        client.close();
    }
}
