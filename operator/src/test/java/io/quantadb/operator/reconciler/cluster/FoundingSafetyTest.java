package io.quantadb.operator.reconciler.cluster;

import static io.quantadb.operator.testing.Clusters.NOW;
import static io.quantadb.operator.testing.Clusters.orders;
import static io.quantadb.operator.testing.Clusters.ordersOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.observer.ClusterObserver;
import io.quantadb.operator.pki.CertificateIssuer;
import io.quantadb.operator.resource.Settled;
import io.quantadb.operator.resource.StepRunner;
import io.quantadb.operator.resource.Watched;
import io.quantadb.operator.testing.TestingFleet;
import io.quantadb.operator.testing.TestingFleet.Mood;
import io.quantadb.operator.testing.TestingKubernetes;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever happens to operators, status, watches, resources and volumes: a cluster is founded only where no disk belongs to
 * another, no claim is deleted, and no pod is deleted whose node may belong to a cluster and run. The nodes do not help:
 * see {@link TestingFleet}.
 */
class FoundingSafetyTest {
    private static final int NODES_MAX = 5;
    private static final int STEPS = 100;

    private final TestingKubernetes kubernetes = new TestingKubernetes();
    private final TestingFleet fleet = new TestingFleet();
    private final List<String> story = new ArrayList<>();
    private QuantaClusterStatus status = QuantaClusterStatus.none();
    private QuantaCluster cluster = ordersOf(3);
    private int resources;

    /** What the operator's watches have heard of; they may be far behind. */
    private Watched watches = type -> List.of();

    /** The certificates are real and slow to make, and play no part here: one operator makes them for all. */
    private final ClusterPass operator = operator();

    private ClusterPass operator() {
        var random = new SecureRandom();
        var clock = InstantSource.fixed(NOW);
        return new ClusterPass(
                kubernetes,
                new ClusterObserver((key, name, ca) -> fleet),
                new StepRunner(kubernetes, new CertificateIssuer(random, clock), random, new Settled(clock)),
                clock,
                "quantadb.io/node",
                "1.0");
    }

    static LongStream seeds() {
        long first = Long.getLong("sim.seed", 1);
        return LongStream.range(first, first + Long.getLong("sim.runs", 100));
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void noSecondClusterComesIntoBeing(long seed) {
        var random = new Random(seed);
        try {
            for (int i = 0; i < STEPS; i++) {
                happens(random);
                assertThat(fleet.clusters()).hasSizeLessThanOrEqualTo(1);
            }
        } catch (AssertionError e) {
            throw new AssertionError("reproduce with -Dsim.runs=1 -Dsim.seed=%d: %s".formatted(seed, story), e);
        }
    }

    /** What never founds anything would show nothing. */
    @Test
    void theStoriesDoFoundClusters() {
        long founding = LongStream.rangeClosed(1, 30)
                .filter(seed -> {
                    var story = new FoundingSafetyTest();
                    story.noSecondClusterComesIntoBeing(seed);
                    return !story.fleet.founded().isEmpty();
                })
                .count();
        assertThat(founding).isGreaterThan(15);
    }

    private void happens(Random random) {
        switch (random.nextInt(4)) {
            case 0 -> watches = type -> List.of();
            case 1 -> watches = kubernetes.watched();
            default -> {
                // They hear nothing new.
            }
        }
        String pod = ClusterRef.of(cluster).pod(random.nextInt(NODES_MAX));
        switch (random.nextInt(12)) {
            case 0 -> diesInAPass(random.nextInt(16));
            case 1 -> forgetsAPass();
            case 2 -> {
                story.add("status lost");
                status = QuantaClusterStatus.none();
            }
            case 3 -> madeAnew(1 + random.nextInt(NODES_MAX));
            case 4 -> losesVolume(pod);
            case 5 -> {
                if (random.nextBoolean()) {
                    feels(pod, Mood.SILENT);
                } else {
                    kubernetes.names("Pod").forEach(each -> feels(each, Mood.STARTING));
                }
            }
            case 6 -> changed(1 + random.nextInt(NODES_MAX), 4 + random.nextInt(3));
            case 7 -> joins(pod, ClusterRef.of(cluster).pod(random.nextInt(NODES_MAX)));
            default -> {
                feels(pod, Mood.WELL);
                pass();
            }
        }
    }

    private void pass() {
        story.add("pass");
        status = watched();
    }

    /** A pass by an operator whose status is never written: it ended, or another was quicker. */
    private void forgetsAPass() {
        story.add("pass, status not written");
        watched();
    }

    private void diesInAPass(int changes) {
        story.add("pass, dies after " + changes);
        kubernetes.dieAfter(changes);
        try {
            status = watched();
        } catch (TestingKubernetes.Killed e) {
            story.add("died");
        } finally {
            kubernetes.liveOn();
        }
    }

    /** One pass, and what it deleted. */
    private QuantaClusterStatus watched() {
        List<String> before = kubernetes.names("PersistentVolumeClaim");
        int changes = kubernetes.changes().size();
        try {
            return operator.once(cluster, status, watches);
        } finally {
            assertThat(kubernetes.names("PersistentVolumeClaim")).containsAll(before);
            kubernetes.changes().stream()
                    .skip(changes)
                    .filter(c -> c.startsWith("delete Pod "))
                    .forEach(change -> {
                        String pod = change.substring("delete Pod ".length());
                        assertThat(fleet.disk(pod))
                                .as("cluster of deleted pod " + pod)
                                .isEmpty();
                    });
        }
    }

    private void madeAnew(int instances) {
        story.add("resource made anew with " + instances);
        cluster = ordersOf(instances);
        cluster.getMetadata().setUid("00000000-0000-4000-8000-%012d".formatted(++resources));
        status = QuantaClusterStatus.none();
        for (String kind : List.of("StatefulSet", "Pod", "ConfigMap")) {
            kubernetes.removeAll(kind);
        }
    }

    private void losesVolume(String pod) {
        story.add("volume lost: " + pod);
        fleet.lose(pod);
        kubernetes.remove("PersistentVolumeClaim", "data-" + pod);
        kubernetes.remove("Pod", pod);
        kubernetes.control();
    }

    private void feels(String pod, Mood mood) {
        story.add(pod + " is " + mood);
        fleet.mood(pod, mood);
    }

    private void changed(int instances, int workMem) {
        story.add("instances %d, work_mem %d MB".formatted(instances, workMem));
        String uid = cluster.getMetadata().getUid();
        cluster = orders("instances: %d\nstorage: {size: 1Gi}\npostgresql: {parameters: {work_mem: %dMB}}"
                .formatted(instances, workMem));
        cluster.getMetadata().setUid(uid);
    }

    private void joins(String pod, String peer) {
        if (kubernetes.names("Pod").containsAll(List.of(pod, peer))) {
            story.add(pod + " joins through " + peer);
            fleet.join(pod, peer);
        }
    }

    @Test
    void aSmallerClusterIsNotFoundedBesideTheVolumesOfALargerOne() {
        // Given
        formed(5);
        madeAnew(1);
        losesVolume("orders-0");

        // When
        passes(4);

        // Then
        assertThat(fleet.founded()).hasSize(1);
        assertThat(status.condition("Stalled").orElseThrow().reason()).isEqualTo("VolumesLeft");
        assertThat(kubernetes.names("Pod")).isEmpty();
    }

    @Test
    void goesOnWithTheOldClusterWhenItsResourceIsMadeAnew() {
        formed(3);
        madeAnew(3);
        passes(4);
        assertThat(fleet.founded()).hasSize(1);
        assertThat(status.condition("Initialized").orElseThrow().holds()).isTrue();
    }

    @Test
    void isNotFoundedOnAnEmptiedFirstVolumeWhileTheOthersJustStart() {
        formed(3);
        madeAnew(3);
        losesVolume("orders-0");
        fleet.mood("orders-1", Mood.STARTING);
        fleet.mood("orders-2", Mood.STARTING);
        passes(4);
        assertThat(fleet.founded()).hasSize(1);
        assertThat(status.permission()).isNull();
    }

    @Test
    void namesAClusterThatWasFoundedByAnOperatorWhichDiedBeforeItsStatusWasWritten() {
        formed(3);
        status = QuantaClusterStatus.none();
        passes(2);
        assertThat(status.clusterId()).isEqualTo(fleet.founded().getFirst());
    }

    @Test
    void restartsNoNodeOfAClusterThatItHasForgottenAndCannotReach() {
        formed(3);
        status = QuantaClusterStatus.none();
        for (String pod : kubernetes.names("Pod")) {
            fleet.mood(pod, Mood.SILENT);
        }
        changed(3, 8);
        passes(3);
        assertThat(kubernetes.changes()).noneMatch(change -> change.startsWith("delete Pod"));
    }

    @Test
    void twoOperatorsAtOnceFoundOneCluster() {
        QuantaClusterStatus other = status;
        for (int i = 0; i < 5; i++) {
            other = operator.once(cluster, other, watches);
            status = operator.once(cluster, status, watches);
        }
        assertThat(fleet.founded()).hasSize(1);
        assertThat(status.clusterId()).isEqualTo(fleet.founded().getFirst());
    }

    private void formed(int instances) {
        changed(instances, 4);
        passes(4);
        for (int i = 1; i < instances; i++) {
            joins("orders-" + i, "orders-0");
        }
        passes(1);
        assertThat(fleet.clusters()).hasSize(1);
        assertThat(kubernetes.names("Pod")).hasSize(instances);
    }

    private void passes(int count) {
        for (int i = 0; i < count; i++) {
            pass();
        }
    }
}
