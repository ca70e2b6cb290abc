package io.quantadb.operator.reconciler.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.javaoperatorsdk.operator.Operator;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.config.OperatorSettings;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.Note;
import io.quantadb.operator.observer.ClusterObserver;
import io.quantadb.operator.pki.CertificateIssuer;
import io.quantadb.operator.resource.Fabric8KubernetesApi;
import io.quantadb.operator.resource.Settled;
import io.quantadb.operator.resource.StepRunner;
import io.quantadb.operator.resource.Watched;
import io.quantadb.operator.testing.CountedRequests;
import io.quantadb.operator.testing.TestingFleet;
import io.quantadb.operator.testing.TestingServer;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The reconciler against a real API server: the operator, a user, and nodes that the test plays. No controllers and no
 * kubelet are needed: {@code hack/kube up --api} is enough.
 */
class ReconcilerIT {
    private static final Duration WITHIN = Duration.ofSeconds(20);
    private static final Duration NEVER = Duration.ofHours(1);
    private static final Duration OFTEN = Duration.ofMillis(200);
    private static final Watched NOTHING_WATCHED = type -> List.of();

    private static TestingServer server;
    private static KubernetesClient client;

    private final TestingFleet fleet = new TestingFleet();
    private final AtomicInteger passes = new AtomicInteger();
    private Optional<Operator> operator = Optional.empty();

    @BeforeAll
    static void findsAServer() throws Exception {
        server = TestingServer.orSkip();
        client = server.client();
    }

    @AfterAll
    static void leavesTheServer() {
        if (server != null) {
            server.close();
        }
    }

    @AfterEach
    void stopsTheOperator() {
        operator.ifPresent(Operator::stop);
        operator = Optional.empty();
        // The next test's operator would look after them too.
        client.resources(QuantaCluster.class).inNamespace(server.namespace()).delete();
    }

    /** The timer's pauses, and nothing else that matters here. */
    private record Pauses(Duration period, Duration eagerPeriod) implements OperatorSettings {
        @Override
        public String nodeRepository() {
            return "quantadb.io/node";
        }

        @Override
        public String version() {
            return "1.0";
        }

        @Override
        public Duration nodeDeadline() {
            return Duration.ofSeconds(1);
        }

        @Override
        public Duration foundingDeadline() {
            return Duration.ofSeconds(1);
        }
    }

    private ClusterPass pass() {
        return pass(client);
    }

    private ClusterPass pass(KubernetesClient client) {
        var random = new SecureRandom();
        var clock = InstantSource.system();
        var issuer = new CertificateIssuer(random, clock);
        var kubernetes = new Fabric8KubernetesApi(client);
        return new ClusterPass(
                kubernetes,
                new ClusterObserver((key, name, ca) -> {
                    passes.incrementAndGet();
                    return fleet;
                }),
                new StepRunner(kubernetes, issuer, random, new Settled(clock)),
                clock,
                "quantadb.io/node",
                "1.0");
    }

    private void startOperator(Duration pause) {
        startOperator(pause, client);
    }

    private void startOperator(Duration pause, KubernetesClient client) {
        var started =
                new Operator(overrider -> overrider.withKubernetesClient(client).withCloseClientOnStop(false));
        started.register(
                new QuantaClusterReconciler(pass(client), new Pauses(pause, pause)),
                overrider -> overrider.settingNamespaces(server.namespace()));
        started.start();
        operator = Optional.of(started);
    }

    private static void create(String name, String spec) {
        client.resource(Serialization.unmarshal(
                        "apiVersion: quantadb.io/v1alpha1\nkind: QuantaCluster\nmetadata: {name: %s, namespace: %s}\nspec:\n%s"
                                .formatted(name, server.namespace(), spec.indent(2)),
                        GenericKubernetesResource.class))
                .create();
    }

    private static QuantaCluster cluster(String name) {
        return client.resources(QuantaCluster.class)
                .inNamespace(server.namespace())
                .withName(name)
                .get();
    }

    private static QuantaClusterStatus status(String name) {
        return Optional.ofNullable(cluster(name).getStatus()).orElse(QuantaClusterStatus.none());
    }

    private static StatefulSet statefulSet(String name) {
        return client.apps()
                .statefulSets()
                .inNamespace(server.namespace())
                .withName(name)
                .get();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "instances: 3",
                "instances: 0\nstorage: {size: 1Gi}",
                "instances: 8\nstorage: {size: 1Gi}",
                "storage: {}",
                "storage: {size: 1Gi}\nreplication: {mode: Perhaps}",
                "storage: {size: 1Gi}\nbootstrap: {database: Upper}",
                "storage: {size: 1Gi}\nversion: 'a b'",
                "storage: {size: 1Gi}\nimages: {pullPolicy: Sometimes}",
                "storage: {size: 1Gi}\npostgresql: {parameters: {work_mem: 8}}"
            })
    void theServerRefusesWhatTheSchemaForbids(String spec) {
        assertThatThrownBy(() -> create("refused", spec))
                .isInstanceOfSatisfying(
                        KubernetesClientException.class,
                        e -> assertThat(e.getCode()).isEqualTo(422));
    }

    @Test
    void theServerFillsInTheDefaultsThatTheRecordsHave() {
        create("defaults", "storage: {size: 1Gi}\nimages: {}\nreplication: {}\nbootstrap: {}");
        Map<String, Object> filled = client.genericKubernetesResources("quantadb.io/v1alpha1", "QuantaCluster")
                .inNamespace(server.namespace())
                .withName("defaults")
                .get()
                .get("spec");
        assertThat(filled)
                .isEqualTo(Map.of(
                        "instances",
                        3,
                        "storage",
                        Map.of("size", "1Gi"),
                        "images",
                        Map.of("pullPolicy", "IfNotPresent"),
                        "replication",
                        Map.of("mode", "Quorum"),
                        "bootstrap",
                        Map.of("database", "app", "owner", "app")));
    }

    @Test
    void bringsAClusterFromNothingToFounded() {
        // Given
        create("born", "storage: {size: 1Gi}");

        // When
        startOperator(OFTEN);
        playsTheNodes("born");

        // Then
        await().atMost(WITHIN).ignoreExceptions().untilAsserted(() -> {
            QuantaClusterStatus status = status("born");
            assertThat(status.condition("Initialized").orElseThrow().holds()).isTrue();
            assertThat(status.permission().instance()).isEqualTo("born-0");
            assertThat(status.clusterId()).isEqualTo(fleet.founded().getFirst());
            assertThat(status.observedGeneration()).isEqualTo(1);
            assertThat(client.pods()
                            .inNamespace(server.namespace())
                            .withLabel(ClusterRef.CLUSTER_LABEL, "born")
                            .withLabel(ClusterRef.ROLE_LABEL, "replica")
                            .list()
                            .getItems())
                    .hasSize(3);
        });
        assertThat(fleet.founded()).hasSize(1);
        assertThat(status("born").selector()).contains("quantadb.io/cluster=born");
    }

    @Test
    void changesNothingOnTheServerTheSecondTime() {
        // Given
        create("calm", "storage: {size: 1Gi}\nresources: {requests: {cpu: '0.5', memory: 1024Mi}}");
        QuantaClusterStatus first = pass().once(cluster("calm"), QuantaClusterStatus.none(), NOTHING_WATCHED);
        Map<String, String> before = everything();
        // The server notes the second of each change, so a change within the same one can come out as none.
        long changed = Instant.now().getEpochSecond();
        await().atMost(WITHIN).until(() -> Instant.now().getEpochSecond() > changed);

        // When
        QuantaClusterStatus second = pass().once(cluster("calm"), first, NOTHING_WATCHED);

        // Then
        assertThat(before).containsKeys("StatefulSet calm", "PodDisruptionBudget calm", "Secret calm-node-tls");
        assertThat(everything()).isEqualTo(before);
        assertThat(second).isEqualTo(first);
    }

    /** The pods of three nodes come up, and once one of these has founded a cluster the others are let in. */
    private void playsTheNodes(String name) {
        await().atMost(WITHIN).until(() -> statefulSet(name) != null);
        for (int i = 0; i < 3; i++) {
            server.run(statefulSet(name), i);
        }
        await().atMost(WITHIN).until(() -> !fleet.founded().isEmpty());
        fleet.join(name + "-1", name + "-0");
        fleet.join(name + "-2", name + "-0");
    }

    /**
     * Each pass of a founded cluster that nobody touches. It was 24 requests before the watches were asked first: eight
     * reads, and a read and an apply of each of eight objects.
     */
    @Test
    void aPassThatChangesNothingAsksForSecretsAndClaimsAlone() {
        var requests = new CountedRequests();
        try (KubernetesClient counted = server.counted(requests)) {
            // Given
            create("thrifty", "storage: {size: 1Gi}");
            startOperator(OFTEN, counted);
            playsTheNodes("thrifty");
            await().atMost(WITHIN)
                    .until(() -> status("thrifty")
                            .condition("Initialized")
                            .filter(c -> c.holds())
                            .isPresent());

            // When
            int count = 5;
            List<String> during = new ArrayList<>();
            await().atMost(WITHIN).pollDelay(Duration.ZERO).until(() -> {
                during.clear();
                int from = passes.get();
                int already = requests.all().size();
                await().atMost(WITHIN).pollInterval(Duration.ofMillis(5)).until(() -> passes.get() >= from + count);
                during.addAll(requests.all().subList(already, requests.all().size()));
                return during.stream().noneMatch(request -> request.startsWith("PATCH"));
            });

            // Then
            String core = "GET /api/v1/namespaces/" + server.namespace() + "/";
            assertThat(during)
                    .containsOnly(
                            core + "secrets/thrifty-ca",
                            core + "secrets/thrifty-superuser",
                            core + "secrets/thrifty-app",
                            core + "secrets/thrifty-node-tls",
                            core + "persistentvolumeclaims");
            assertThat(during).hasSizeBetween(5 * (count - 1), 5 * (count + 1));
            stopsTheOperator();
        }
    }

    private Map<String, String> everything() {
        return server.versions(
                StatefulSet.class, Service.class, ConfigMap.class, Secret.class, ServiceAccount.class, budgets());
    }

    private static Class<? extends HasMetadata> budgets() {
        return new Fabric8KubernetesApi(client).budgetsAreV1()
                ? io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget.class
                : io.fabric8.kubernetes.api.model.policy.v1beta1.PodDisruptionBudget.class;
    }

    /** The timer is an hour away: only watches can tell. */
    @Test
    void healsAtOnceWhatIsDeletedOrChangedByHand() {
        // Given
        create("healed", "storage: {size: 1Gi}");
        startOperator(NEVER);
        await().atMost(WITHIN).until(() -> status("healed").observedGeneration() == 1);
        var configMap = client.configMaps().inNamespace(server.namespace()).withName("healed-config");
        var readOnly = client.services().inNamespace(server.namespace()).withName("healed-ro");
        var budget = client.resources(budgets()).inNamespace(server.namespace()).withName("healed");
        var account = client.serviceAccounts().inNamespace(server.namespace()).withName("healed");
        var set = client.apps().statefulSets().inNamespace(server.namespace()).withName("healed");

        // When, then: one after the other, each once nothing is going on any more
        awaitCalm();
        configMap.delete();
        await().atMost(WITHIN).until(() -> configMap.get() != null);

        awaitCalm();
        budget.delete();
        await().atMost(WITHIN).until(() -> budget.get() != null);

        awaitCalm();
        account.delete();
        await().atMost(WITHIN).until(() -> account.get() != null);

        awaitCalm();
        readOnly.edit(service -> new ServiceBuilder(service)
                .editSpec()
                .addToSelector(ClusterRef.ROLE_LABEL, "primary")
                .endSpec()
                .build());
        await().atMost(WITHIN)
                .until(() -> readOnly.get()
                        .getSpec()
                        .getSelector()
                        .get(ClusterRef.ROLE_LABEL)
                        .equals("replica"));

        awaitCalm();
        set.scale(1);
        await().atMost(WITHIN).until(() -> set.get().getSpec().getReplicas() == 3);
    }

    /** No pass for a while: what the operator does to its own objects does not call it again for ever. */
    private void awaitCalm() {
        var last = new AtomicInteger(-1);
        await().atMost(WITHIN)
                .pollInterval(Duration.ofMillis(700))
                .until(() -> last.getAndSet(passes.get()) == passes.get());
    }

    @Test
    void followsTheScaleSubresource() {
        create("scaled", "storage: {size: 1Gi}");
        startOperator(NEVER);
        await().atMost(WITHIN).until(() -> statefulSet("scaled") != null);

        client.resources(QuantaCluster.class)
                .inNamespace(server.namespace())
                .withName("scaled")
                .scale(5);

        await().atMost(WITHIN)
                .untilAsserted(() -> assertThat(statefulSet("scaled").getSpec().getReplicas())
                        .isEqualTo(5));
    }

    @Test
    void leavesWhatIsNotItsOwnAloneAndSaysSo() {
        // Given
        Service other = client.resource(new ServiceBuilder()
                        .withNewMetadata()
                        .withNamespace(server.namespace())
                        .withName("taken-rw")
                        .endMetadata()
                        .withNewSpec()
                        .addToSelector("app", "somebody-elses")
                        .addNewPort()
                        .withPort(80)
                        .endPort()
                        .endSpec()
                        .build())
                .create();

        // When
        create("taken", "storage: {size: 1Gi}");
        QuantaClusterStatus status = pass().once(cluster("taken"), QuantaClusterStatus.none(), NOTHING_WATCHED);

        // Then
        assertThat(status.condition("Progressing").orElseThrow().message())
                .startsWith("Service 'taken-rw' exists in namespace '%s' and is not this cluster's"
                        .formatted(server.namespace()));
        assertThat(client.services()
                        .inNamespace(server.namespace())
                        .withName("taken-rw")
                        .get())
                .isEqualTo(other);
        assertThat(statefulSet("taken")).isNull();
    }

    @Test
    void touchesNoPodThatHasTakenAnothersName() {
        // Given
        client.resource(new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withNamespace(server.namespace())
                        .withName("bare")
                        .endMetadata()
                        .build())
                .create();
        var pod = client.resource(new PodBuilder()
                        .withNewMetadata()
                        .withNamespace(server.namespace())
                        .withName("bare-0")
                        .endMetadata()
                        .withNewSpec()
                        .withServiceAccountName("bare")
                        .withAutomountServiceAccountToken(false)
                        .addNewContainer()
                        .withName("c")
                        .withImage("none")
                        .endContainer()
                        .endSpec()
                        .build())
                .create();
        var kubernetes = new Fabric8KubernetesApi(client);
        var there = client.pods().inNamespace(server.namespace()).withName("bare-0");

        // When, then
        kubernetes.labelPod(server.namespace(), "bare-0", "another-uid", "role", "primary");
        kubernetes.deletePod(server.namespace(), "bare-0", "another-uid");
        assertThat(there.get()).isEqualTo(pod);

        String uid = pod.getMetadata().getUid();
        kubernetes.labelPod(server.namespace(), "bare-0", uid, "role", "primary");
        assertThat(there.get().getMetadata().getLabels()).containsEntry("role", "primary");
        kubernetes.deletePod(server.namespace(), "bare-0", uid);
        await().atMost(WITHIN).until(() -> there.get() == null);
        kubernetes.labelPod(server.namespace(), "bare-0", uid, "role", "primary");
        kubernetes.deletePod(server.namespace(), "bare-0", uid);
    }

    @Test
    void countsAnEventThatSaysTheSameAgain() {
        // Given
        create("told", "storage: {size: 1Gi}");
        QuantaCluster cluster = cluster("told");
        var kubernetes = new Fabric8KubernetesApi(client);
        Instant first = Instant.parse("2026-03-01T12:00:00Z");

        // When
        kubernetes.tell(cluster, Note.of("Founding", "asked told-0"), first);
        kubernetes.tell(cluster, new Note(true, "QuorumLost", "too few"), first);
        kubernetes.tell(cluster, Note.of("Founding", "asked told-0"), first.plusSeconds(5));

        // Then
        List<Event> events = client.v1()
                .events()
                .inNamespace(server.namespace())
                .withField("involvedObject.uid", cluster.getMetadata().getUid())
                .list()
                .getItems();
        assertThat(events)
                .extracting(Event::getType, Event::getReason, Event::getCount, Event::getLastTimestamp)
                .containsExactlyInAnyOrder(
                        tuple("Normal", "Founding", 2, "2026-03-01T12:00:05Z"),
                        tuple("Warning", "QuorumLost", 1, "2026-03-01T12:00:00Z"));
    }

    @Test
    void makesASecretOnceAndLeavesOneThatIsThere() {
        var kubernetes = new Fabric8KubernetesApi(client);
        assertThat(List.of(kubernetes.create(secret("a")), kubernetes.create(secret("b"))))
                .containsExactly(true, false);
        assertThat(client.secrets()
                        .inNamespace(server.namespace())
                        .withName("once")
                        .get()
                        .getData())
                .isEqualTo(secret("a").getData());
    }

    private static Secret secret(String data) {
        return new SecretBuilder()
                .withNewMetadata()
                .withNamespace(server.namespace())
                .withName("once")
                .endMetadata()
                .addToData("password", data.repeat(4))
                .build();
    }
}
