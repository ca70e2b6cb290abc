package io.quantadb.operator.reconciler.cluster;

import static io.quantadb.operator.testing.Clusters.NOW;
import static io.quantadb.operator.testing.Clusters.UID;
import static io.quantadb.operator.testing.Clusters.orders;
import static io.quantadb.operator.testing.Clusters.ordersOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Secret;
import io.quantadb.crd.common.Condition;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.observer.ClusterObserver;
import io.quantadb.operator.pki.CertificateIssuer;
import io.quantadb.operator.resource.SecretShapes;
import io.quantadb.operator.resource.Settled;
import io.quantadb.operator.resource.StepRunner;
import io.quantadb.operator.resource.Watched;
import io.quantadb.operator.testing.TestingKubernetes;
import io.quantadb.operator.testing.TestingNodes;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ClusterPassTest {
    private final TestingKubernetes kubernetes = new TestingKubernetes();
    private final TestingNodes nodes = new TestingNodes();
    private QuantaClusterStatus status = QuantaClusterStatus.none();

    /** A fresh operator: nothing of an earlier one's memory. */
    private ClusterPass operator() {
        var random = new SecureRandom();
        var clock = InstantSource.fixed(NOW);
        var issuer = new CertificateIssuer(random, clock);
        return new ClusterPass(
                kubernetes,
                new ClusterObserver((key, cluster, ca) -> nodes),
                new StepRunner(kubernetes, issuer, random, new Settled(clock)),
                clock,
                "quantadb.io/node",
                "1.0");
    }

    private void passes(QuantaCluster cluster, int count) {
        for (int i = 0; i < count; i++) {
            status = operator().once(cluster, status, type -> List.of());
        }
    }

    private String told(String type) {
        Condition condition = status.condition(type).orElseThrow();
        return condition.status() + " " + condition.reason();
    }

    @Test
    void bringsAClusterFromNothingToServing() {
        // When
        passes(ordersOf(3), 5);

        // Then
        assertThat(told("Available")).isEqualTo("True PrimaryServing");
        assertThat(told("Ready")).isEqualTo("True AllInstancesReady");
        assertThat(nodes.permissions()).containsExactly("orders-0 " + UID);
        assertThat(status.clusterId()).isEqualTo(UID + ".0123456789abcdef");
        assertThat(status.version()).isEqualTo("1.0");
        assertThat(kubernetes.notes())
                .containsExactly(
                        "Normal Bootstrapping",
                        "Normal Founding",
                        "Normal Bootstrapped",
                        "Normal PrimaryServing",
                        "Normal AllInstancesReady");
    }

    @Test
    void changesNothingMoreOnceAllIsInPlace() {
        passes(ordersOf(3), 5);
        List<String> before = kubernetes.changes();
        QuantaClusterStatus settled = status;

        passes(ordersOf(3), 1);

        assertThat(status).isEqualTo(settled);
        assertThat(kubernetes
                        .changes()
                        .subList(before.size(), kubernetes.changes().size()))
                .allMatch(change -> change.startsWith("apply "));
    }

    @Test
    void appliesNothingASecondTimeWhileTheWatchesShowThatItStands() {
        // Given
        ClusterPass operator = operator();
        for (int i = 0; i < 5; i++) {
            status = operator.once(ordersOf(3), status, kubernetes.watched());
        }
        int before = kubernetes.changes().size();

        // When
        status = operator.once(ordersOf(3), status, kubernetes.watched());

        // Then
        assertThat(told("Ready")).isEqualTo("True AllInstancesReady");
        assertThat(kubernetes.changes()).hasSize(before);
    }

    @Test
    void appliesAloneWhatSomebodyRemoved() {
        // Given
        ClusterPass operator = operator();
        for (int i = 0; i < 5; i++) {
            status = operator.once(ordersOf(3), status, kubernetes.watched());
        }
        int before = kubernetes.changes().size();

        // When
        kubernetes.remove("Service", "orders-ro");
        status = operator.once(ordersOf(3), status, kubernetes.watched());

        // Then
        assertThat(kubernetes.changes().subList(before, kubernetes.changes().size()))
                .containsExactly("apply Service orders-ro");
    }

    /** By what the watches still show, three nodes run: going back to three would look like no change at all. */
    @Test
    void doesNotShrinkTheClusterWhenItsWatchesAreBehind() {
        // Given
        ClusterPass operator = operator();
        for (int i = 0; i < 5; i++) {
            status = operator.once(ordersOf(3), status, kubernetes.watched());
        }
        Watched behind = kubernetes.watched();
        for (int i = 0; i < 3; i++) {
            status = operator.once(ordersOf(5), status, kubernetes.watched());
        }

        // When
        status = operator.once(ordersOf(3), status, behind);

        // Then
        assertThat(told("Stalled")).isEqualTo("True ScaleDownRefused");
        assertThat(kubernetes
                        .statefulSet("shop", "orders")
                        .orElseThrow()
                        .getSpec()
                        .getReplicas())
                .isEqualTo(5);
    }

    static Stream<Integer> everyChange() {
        return IntStream.range(0, 24).boxed();
    }

    /** Whatever the point of death, the next operator finishes the work, with the same passwords and one founding. */
    @ParameterizedTest(name = "killed after {0} changes")
    @MethodSource("everyChange")
    void canBeKilledAnywhere(int changes) {
        // Given
        kubernetes.dieAfter(changes);
        boolean died = false;
        try {
            passes(ordersOf(3), 5);
        } catch (TestingKubernetes.Killed e) {
            died = true;
        }
        var made = kubernetes.secret("shop", "orders-superuser");
        kubernetes.liveOn();

        // When
        passes(ordersOf(3), 5);

        // Then
        assertThat(died).isTrue();
        assertThat(told("Ready")).isEqualTo("True AllInstancesReady");
        assertThat(nodes.permissions()).containsExactly("orders-0 " + UID);
        made.ifPresent(secret ->
                assertThat(kubernetes.secret("shop", "orders-superuser")).contains(secret));
    }

    @Test
    void learnsFromTheNodesThatItFoundedTheClusterBeforeItWasKilled() {
        nodes.killOperatorAfterFounding();
        boolean died = false;
        try {
            passes(ordersOf(3), 5);
        } catch (TestingKubernetes.Killed e) {
            died = true;
        }
        passes(ordersOf(3), 3);

        assertThat(died).isTrue();
        assertThat(told("Initialized")).isEqualTo("True Bootstrapped");
        assertThat(nodes.permissions()).hasSize(1);
    }

    @Test
    void doesNotFoundAClusterTwiceWhenItsVolumesWereEmptied() {
        passes(ordersOf(3), 5);
        nodes.forget();
        passes(ordersOf(3), 3);

        assertThat(nodes.permissions()).hasSize(1);
        assertThat(told("Stalled")).isEqualTo("True DataLost");
        assertThat(told("Initialized")).isEqualTo("True Bootstrapped");
    }

    @Test
    void recordsThePermissionBeforeTheNodeHearsOfIt() {
        passes(ordersOf(3), 2);
        assertThat(status.permission()).isNotNull();
        assertThat(status.permission().instance()).isEqualTo("orders-0");
        assertThat(nodes.permissions()).isEmpty();
    }

    @Test
    void growsFromThreeToFive() {
        passes(ordersOf(3), 5);
        passes(ordersOf(5), 3);
        assertThat(told("Ready")).isEqualTo("True AllInstancesReady");
        assertThat(kubernetes
                        .configMap("shop", "orders-config")
                        .orElseThrow()
                        .getData()
                        .get("node.json"))
                .contains("orders-4.orders-nodes.shop.svc:6432");
        Secret tls = kubernetes.secret("shop", "orders-node-tls").orElseThrow();
        assertThat(tls.getData()).containsKeys("orders-4.crt", "orders-4.key", "orders-0.crt", "ca.crt");
    }

    @Test
    void refusesToShrinkAndGoesOnServing() {
        passes(ordersOf(3), 5);
        passes(ordersOf(1), 2);
        assertThat(told("Stalled")).isEqualTo("True ScaleDownRefused");
        assertThat(told("Available")).isEqualTo("True PrimaryServing");
        assertThat(kubernetes
                        .statefulSet("shop", "orders")
                        .orElseThrow()
                        .getSpec()
                        .getReplicas())
                .isEqualTo(3);
    }

    @Test
    void appliesChangedSettingsAndSaysThatTheyNeedARestart() {
        passes(ordersOf(3), 5);
        passes(orders("storage: {size: 1Gi}\npostgresql: {parameters: {work_mem: 8MB}}"), 2);
        assertThat(told("Ready")).isEqualTo("False RestartRequired");
        assertThat(kubernetes
                        .configMap("shop", "orders-config")
                        .orElseThrow()
                        .getData()
                        .get("node.json"))
                .contains("\"work_mem\" : \"8MB\"");
        assertThat(kubernetes.changes()).noneMatch(change -> change.startsWith("delete Pod"));
    }

    @Test
    void appliesNothingOfAnInvalidSpecAndGoesOnTelling() {
        passes(ordersOf(3), 5);
        int before = kubernetes.changes().size();
        passes(orders("storage: {size: 1Gi}\npostgresql: {parameters: {fsync: 'off'}}"), 2);
        assertThat(told("Stalled")).isEqualTo("True InvalidSpec");
        assertThat(told("Available")).isEqualTo("True PrimaryServing");
        assertThat(kubernetes.changes()).hasSize(before);
    }

    @Test
    void doesNotMakeALostPasswordAnew() {
        passes(ordersOf(3), 5);
        kubernetes.remove("Secret", "orders-superuser");
        passes(ordersOf(3), 1);
        assertThat(told("Stalled")).isEqualTo("True SecretMissing");
        assertThat(kubernetes.secret("shop", "orders-superuser")).isEmpty();
    }

    @Test
    void theOwnersSecretHasAllThatAClientNeeds() {
        passes(ordersOf(3), 1);
        Secret app = kubernetes.secret("shop", "orders-app").orElseThrow();
        String password = SecretShapes.text(app, "password").orElseThrow();
        assertThat(password).hasSize(32);
        assertThat(SecretShapes.text(app, "uri"))
                .hasValue("postgresql://app:%s@orders-rw.shop.svc:5432/app".formatted(password));
        assertThat(app.getMetadata().getOwnerReferences()).isEmpty();
    }

    @Test
    void theAuthoritysKeyIsInItsOwnSecretOnly() {
        passes(ordersOf(3), 1);
        Secret tls = kubernetes.secret("shop", "orders-node-tls").orElseThrow();
        assertThat(tls.getData()).doesNotContainKeys("ca.key", "tls.key");
        assertThat(tls.getMetadata().getOwnerReferences()).hasSize(1);
    }
}
