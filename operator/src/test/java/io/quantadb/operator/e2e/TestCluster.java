package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.policy.v1.EvictionBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.readiness.Readiness;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.e2e.AuditedWriter.Audit;
import io.quantadb.operator.e2e.Reach.Door;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.resource.SecretShapes;
import io.quantadb.operator.testing.TestingServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
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

    /** Read once: the API may be away later. */
    private @Nullable String password;

    private @Nullable Reach reach;

    private TestCluster(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
        this.operator = new Operator(client);
    }

    /** An empty namespace; the cluster is not applied yet. */
    static TestCluster in(String namespace) {
        Assumptions.assumeTrue(
                System.getenv("KUBECONFIG") != null, "KUBECONFIG names no cluster; 'make e2e' starts or finds one");
        KubernetesClient client = new KubernetesClientBuilder()
                .withConfig(TestingServer.keyed(Config.autoConfigure(null)))
                .build();
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

    /**
     * All three are ready, and the status speaks of now: right after a failover it still tells of the time before, for the
     * operator looks every few seconds.
     */
    TestCluster settles() {
        await("the cluster settles")
                .atMost(UP_WITHIN)
                .pollInterval(Duration.ofMillis(500))
                .ignoreExceptions()
                .untilAsserted(() -> {
                    assertThat(pods()).hasSize(3).allMatch(Readiness::isPodReady);
                    assertThat(holds("Ready")).isTrue();
                    assertThat(writable(doors())).contains(status().currentPrimary());
                });
        return this;
    }

    private List<Pod> pods() {
        return client.pods()
                .inNamespace(namespace)
                .withLabel(ClusterRef.CLUSTER_LABEL, NAME)
                .list()
                .getItems();
    }

    /** How sessions get into the cluster; found out once, when its Services have pods behind them. */
    Reach reach() {
        if (reach == null) {
            reach = Reach.to(client, namespace, NAME);
        }
        return reach;
    }

    /** The pods that have an address, by name, with the doors to their own PostgreSQL. */
    private Map<String, Door> doors() {
        return pods().stream()
                .filter(p -> p.getStatus().getPodIP() != null)
                .map(p -> p.getMetadata().getName())
                .collect(Collectors.toMap(name -> name, name -> reach().pod(name)));
    }

    /** The pod whose own PostgreSQL takes writes, asked itself; empty when none of these does. */
    private Optional<String> writable(Map<String, Door> doors) {
        return doors.entrySet().stream()
                .filter(pod -> takesWrites(pod.getValue()))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    private boolean takesWrites(Door door) {
        try (Connection connection = connect(door);
                var statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select not pg_is_in_recovery()")) {
            return row.next() && row.getBoolean(1);
        } catch (SQLException e) {
            return false;
        }
    }

    String aReplica() {
        String primary = status().currentPrimary();
        assertThat(primary).isNotNull();
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

    /** Deletes the pod as kubectl does: it is told to end, and has its time for that. */
    void delete(String pod) {
        client.pods().inNamespace(namespace).withName(pod).delete();
    }

    /** Asks for the pod's end as {@code kubectl drain} does; false when the disruption budget does not permit it now. */
    boolean evict(String pod) {
        var resource = client.pods().inNamespace(namespace).withName(pod);
        if (!client.supports("policy/v1", "PodDisruptionBudget")) {
            return resource.evict();
        }
        return resource.evict(new EvictionBuilder()
                .withNewMetadata()
                .withName(pod)
                .withNamespace(namespace)
                .endMetadata()
                .build());
    }

    /** How many more pods the disruption budget lets go now. */
    String disruptionsAllowed() {
        return Commands.run(
                        Duration.ofSeconds(20),
                        Map.of(),
                        "kubectl",
                        "-n",
                        namespace,
                        "get",
                        "poddisruptionbudget",
                        NAME,
                        "-o",
                        "jsonpath={.status.disruptionsAllowed}")
                .strip();
    }

    /** Follows what every pod's agent says, until closed; a pod's log goes with the pod. */
    LogWatches watchLogs() {
        return new LogWatches(client, namespace, podNames());
    }

    List<String> podNames() {
        return pods().stream().map(p -> p.getMetadata().getName()).sorted().toList();
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

    /** A session of the database's owner. */
    Connection connect(Door door) throws SQLException {
        if (password == null) {
            password = secret("password");
        }
        return DriverManager.getConnection(
                "jdbc:postgresql://" + door.address() + "/app?connectTimeout=2&socketTimeout=5", "app", password);
    }

    /** Something that takes the primary away and makes sure that it did. */
    @FunctionalInterface
    interface Strike {
        void at(String primary) throws Exception;
    }

    /** Something that happens while rows are written. */
    @FunctionalInterface
    interface Happening {
        void run() throws Exception;
    }

    /**
     * Strikes the primary while rows are written through {@code -rw}, waits for another node to be primary and for rows after
     * that, and audits the rows. Asks the API only before the strike, unless sessions have to go through it.
     */
    void survives(String what, Strike strike) throws Exception {
        Map<String, Door> others = doors();
        String primary = writable(others).orElseThrow();
        others.remove(primary);
        writes(what, () -> {
            strike.at(primary);
            await("another primary than " + primary)
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> writable(others).isPresent());
        });
    }

    /** Writes before, during and after something, and audits the rows. */
    void writes(String what, Happening happening) throws Exception {
        try (var writer =
                new AuditedWriter(reach().service(NAME + "-rw"), secret("username"), secret("password")).start()) {
            await("first rows").atMost(Duration.ofSeconds(30)).until(() -> writer.acknowledgedCount() > ROWS_BEFORE);
            happening.run();
            int count = writer.acknowledgedCount();
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
                        ClusterRef.CLUSTER_LABEL + "=" + NAME,
                        "-o",
                        "name")
                .lines()
                .filter(line -> line.contains("/"))
                .toList();
    }

    @Override
    public void close() {
        if (reach != null) {
            reach.close();
        }
        client.namespaces().withName(namespace).delete();
        client.close();
    }
}
