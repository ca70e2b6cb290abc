package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.e2e.AuditedWriter.Audit;
import io.quantadb.operator.resource.SecretShapes;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The quick start on a real Kubernetes, and what a cluster must survive there. Needs KUBECONFIG, the operator running
 * ({@code hack/run-e2e} sees to both), and a machine that reaches Service addresses.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClusterST {
    private static final String NAMESPACE = "quantadb-e2e";
    private static final String NAME = "quickstart";
    private static final Path QUICKSTART = Path.of("../examples/01-quickstart.yaml");
    private static final String OPERATOR_NAMESPACE = "quantadb-system";
    private static final String OPERATOR = "quantadb-operator";

    private static KubernetesClient client;

    @BeforeAll
    static void appliesTheQuickStart() {
        Assumptions.assumeTrue(
                System.getenv("KUBECONFIG") != null, "KUBECONFIG names no cluster; 'make e2e' starts or finds one");
        client = new KubernetesClientBuilder().build();
        client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(NAMESPACE)
                        .endMetadata()
                        .build())
                .serverSideApply();
        QuantaCluster cluster =
                client.resources(QuantaCluster.class).load(QUICKSTART.toFile()).item();
        long started = System.nanoTime();
        client.resource(cluster).inNamespace(NAMESPACE).create();
        awaitCondition("Available", Duration.ofMinutes(5));
        say("quick start: writes are served after %.1f s".formatted(seconds(started)));
        awaitCondition("Ready", Duration.ofMinutes(5));
        say("quick start: all three are ready after %.1f s".formatted(seconds(started)));
    }

    @AfterAll
    static void removesTheNamespace() {
        if (client != null) {
            client.namespaces().withName(NAMESPACE).delete();
            client.close();
        }
    }

    private static void say(String words) {
        System.out.println("e2e: " + words);
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private static QuantaClusterStatus status() {
        return Optional.ofNullable(client.resources(QuantaCluster.class)
                        .inNamespace(NAMESPACE)
                        .withName(NAME)
                        .get())
                .map(QuantaCluster::getStatus)
                .orElse(QuantaClusterStatus.none());
    }

    private static void awaitCondition(String type, Duration within) {
        await("condition " + type)
                .atMost(within)
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> assertThat(status().condition(type).filter(c -> c.holds()))
                        .isPresent());
    }

    private static String secret(String key) {
        return SecretShapes.text(
                        client.secrets()
                                .inNamespace(NAMESPACE)
                                .withName(NAME + "-app")
                                .get(),
                        key)
                .orElseThrow();
    }

    private static String address(String service) {
        return client.services()
                .inNamespace(NAMESPACE)
                .withName(service)
                .get()
                .getSpec()
                .getClusterIP();
    }

    private static AuditedWriter writer() {
        return new AuditedWriter(address(NAME + "-rw"), secret("username"), secret("password"));
    }

    /** Strikes while rows are written, waits until all is well again and audits. */
    private static void survives(String what, Runnable strike) throws Exception {
        awaitCondition("Ready", Duration.ofMinutes(3));
        try (AuditedWriter writer = writer().start()) {
            await("first rows").atMost(30, TimeUnit.SECONDS).until(() -> writer.acknowledgedCount() > 100);
            int before = writer.acknowledgedCount();
            strike.run();
            await("rows after: " + what)
                    .atMost(60, TimeUnit.SECONDS)
                    .until(() -> writer.acknowledgedCount() > before + 600);
            Audit audit = writer.audit();
            say("%s: gap %d ms, %d acknowledged, %d lost, %d duplicated"
                    .formatted(
                            what,
                            audit.longestGap().toMillis(),
                            audit.acknowledged(),
                            audit.lost(),
                            audit.duplicated()));
            assertThat(audit.lost()).isZero();
            assertThat(audit.duplicated()).isZero();
        }
    }

    private static String primary() {
        String primary = status().currentPrimary();
        assertThat(primary).isNotNull();
        return primary;
    }

    private static void deletePrimaryNow() {
        client.pods()
                .inNamespace(NAMESPACE)
                .withName(primary())
                .withGracePeriod(0)
                .delete();
    }

    private static void inPrimary(String script) {
        try (var exec = client.pods()
                .inNamespace(NAMESPACE)
                .withName(primary())
                .inContainer("node")
                .exec("sh", "-c", script)) {
            exec.exitCode().completeOnTimeout(-1, 5, TimeUnit.SECONDS).join();
        }
    }

    @Test
    @Order(1)
    void rowsWrittenThroughReadWriteAreReadThroughReadOnly() throws SQLException {
        String user = secret("username");
        String password = secret("password");
        try (Connection connection = DriverManager.getConnection(url(NAME + "-rw"), user, password);
                var statement = connection.createStatement()) {
            statement.execute("create table if not exists greeting (words text)");
            statement.execute("insert into greeting values ('hello')");
        }
        await("the replica has the row")
                .atMost(20, TimeUnit.SECONDS)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    try (Connection connection = DriverManager.getConnection(url(NAME + "-ro"), user, password);
                            var statement = connection.createStatement();
                            ResultSet row =
                                    statement.executeQuery("select words, pg_is_in_recovery() from greeting limit 1")) {
                        assertThat(row.next()).isTrue();
                        assertThat(row.getString(1)).isEqualTo("hello");
                        assertThat(row.getBoolean(2)).isTrue();
                    }
                });
    }

    private static String url(String service) {
        return "jdbc:postgresql://" + address(service) + ":5432/app?connectTimeout=2&socketTimeout=5";
    }

    @Test
    @Order(2)
    void survivesThatThePrimarysPodIsDeleted() throws Exception {
        survives("primary's pod deleted at once", ClusterST::deletePrimaryNow);
    }

    @Test
    @Order(3)
    void survivesThatThePrimarysServerIsKilled() throws Exception {
        survives(
                "primary's PostgreSQL killed with -9",
                () -> inPrimary("kill -9 $(head -n 1 /var/lib/quantadb/node/*/postmaster.pid)"));
    }

    @Test
    @Order(4)
    void survivesThatThePrimarysAgentIsKilled() throws Exception {
        survives("every process of the primary killed with -9", () -> inPrimary("kill -9 -1"));
    }

    @Test
    @Order(5)
    void survivesWithoutAnOperator() throws Exception {
        awaitCondition("Ready", Duration.ofMinutes(3));
        String before = primary();
        scaleOperator(0);
        try (AuditedWriter writer = writer().start()) {
            await("first rows").atMost(30, TimeUnit.SECONDS).until(() -> writer.acknowledgedCount() > 100);
            int count = writer.acknowledgedCount();
            client.pods()
                    .inNamespace(NAMESPACE)
                    .withName(before)
                    .withGracePeriod(0)
                    .delete();
            await("rows").atMost(60, TimeUnit.SECONDS).until(() -> writer.acknowledgedCount() > count + 600);
            Audit audit = writer.audit();
            say("primary's pod deleted with no operator: gap %d ms, %d acknowledged, %d lost"
                    .formatted(audit.longestGap().toMillis(), audit.acknowledged(), audit.lost()));
            assertThat(audit.lost()).isZero();
        } finally {
            scaleOperator(1);
        }
        await("the operator tells the new primary")
                .atMost(2, TimeUnit.MINUTES)
                .untilAsserted(() -> assertThat(status().currentPrimary()).isNotEqualTo(before));
    }

    private static void scaleOperator(int replicas) {
        client.apps()
                .deployments()
                .inNamespace(OPERATOR_NAMESPACE)
                .withName(OPERATOR)
                .scale(replicas);
        await("operator pods")
                .atMost(2, TimeUnit.MINUTES)
                .until(() -> client.pods()
                                .inNamespace(OPERATOR_NAMESPACE)
                                .withLabel("app.kubernetes.io/name", OPERATOR)
                                .list()
                                .getItems()
                                .size()
                        == replicas);
    }

    @Test
    @Order(6)
    void aPodWhoseVolumeIsGoneComesBackAsAFullCopy() throws Exception {
        awaitCondition("Ready", Duration.ofMinutes(3));
        String replica = status().members().stream()
                .map(QuantaClusterStatus.Member::name)
                .filter(name -> !name.equals(primary()))
                .findFirst()
                .orElseThrow();
        String uid = client.pods()
                .inNamespace(NAMESPACE)
                .withName(replica)
                .get()
                .getMetadata()
                .getUid();
        client.persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withName("data-" + replica)
                .delete();
        client.pods()
                .inNamespace(NAMESPACE)
                .withName(replica)
                .withGracePeriod(0)
                .delete();
        long started = System.nanoTime();
        await("a new pod")
                .atMost(2, TimeUnit.MINUTES)
                .ignoreExceptions()
                .until(() -> !client.pods()
                        .inNamespace(NAMESPACE)
                        .withName(replica)
                        .get()
                        .getMetadata()
                        .getUid()
                        .equals(uid));
        await("ready again")
                .atMost(4, TimeUnit.MINUTES)
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> {
                    assertThat(status().condition("Ready").filter(c -> c.holds()))
                            .isPresent();
                    assertThat(client.pods()
                                    .inNamespace(NAMESPACE)
                                    .withName(replica)
                                    .isReady())
                            .isTrue();
                });
        say("a replica whose volume was gone is a full copy again after %.1f s".formatted(seconds(started)));
    }

    @Test
    @Order(7)
    void deletingTheClusterRemovesAllButVolumesAndWhatOpensThem() {
        client.resources(QuantaCluster.class)
                .inNamespace(NAMESPACE)
                .withName(NAME)
                .delete();
        await("pods gone")
                .atMost(3, TimeUnit.MINUTES)
                .untilAsserted(() -> assertThat(
                                client.pods().inNamespace(NAMESPACE).list().getItems())
                        .isEmpty());
        assertThat(client.persistentVolumeClaims().inNamespace(NAMESPACE).list().getItems())
                .hasSize(3);
        assertThat(client.secrets()
                        .inNamespace(NAMESPACE)
                        .withName(NAME + "-app")
                        .get())
                .isNotNull();
        await("certificates gone")
                .atMost(1, TimeUnit.MINUTES)
                .untilAsserted(() -> assertThat(client.secrets()
                                .inNamespace(NAMESPACE)
                                .withName(NAME + "-node-tls")
                                .get())
                        .isNull());
    }
}
