package io.quantadb.operator.e2e;

import static io.quantadb.operator.e2e.TestCluster.NAME;
import static io.quantadb.operator.e2e.TestCluster.say;
import static io.quantadb.operator.e2e.TestCluster.seconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The operator dies again and again while a cluster is made; what comes up is one cluster, founded once. */
@ExtendWith(KeepsLogs.class)
class CreationST {
    private static final String NAMESPACE = "quantadb-e2e-creation";
    private static final int KILLS_AT_LEAST = 3;

    private static TestCluster cluster;

    /**
     * A step of the creation right after which the operator is killed. Only a living operator takes it, so the next kill need
     * not wait until another pod is ready: on a slow machine the whole cluster would be up by then.
     */
    private record Milestone(String name, BooleanSupplier reached) {}

    @BeforeAll
    static void makesTheNamespace() {
        cluster = TestCluster.in(NAMESPACE);
    }

    @AfterAll
    static void removesTheNamespace() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void aClusterComesUpAlthoughTheOperatorIsKilledWhileItIsMade() throws Exception {
        long started = System.nanoTime();
        cluster.apply();
        List<String> kills = new ArrayList<>();
        for (Milestone milestone : milestones()) {
            await(milestone.name())
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(20))
                    .pollDelay(Duration.ZERO)
                    .until(milestone.reached()::getAsBoolean);
            if (cluster.holds("Available")) {
                break;
            }
            cluster.operator().kill();
            kills.add(milestone.name());
        }
        assertThat(kills).as("kills before writes were served").hasSizeGreaterThanOrEqualTo(KILLS_AT_LEAST);
        cluster.operator().awaitReady();
        cluster.settles();
        say("operator killed %d times during creation (%s): all three ready after %.1f s"
                .formatted(kills.size(), String.join(", ", kills), seconds(started)));

        QuantaClusterStatus status = cluster.status();
        assertThat(status.clusterId()).isNotNull();
        assertThat(status.members()).hasSize(3);
        assertThat(status.members()).filteredOn(m -> m.role().equals("Primary")).hasSize(1);
        cluster.writes("nothing struck, after such a creation", () -> {});
    }

    private static List<Milestone> milestones() {
        return List.of(
                new Milestone(
                        "its certificate authority is there",
                        () -> cluster.client()
                                        .secrets()
                                        .inNamespace(NAMESPACE)
                                        .withName(NAME + "-ca")
                                        .get()
                                != null),
                new Milestone(
                        "its StatefulSet is there",
                        () -> cluster.client()
                                        .apps()
                                        .statefulSets()
                                        .inNamespace(NAMESPACE)
                                        .withName(NAME)
                                        .get()
                                != null),
                new Milestone(
                        "the permission to found it is recorded",
                        () -> cluster.status().permission() != null),
                new Milestone("it is founded", () -> cluster.holds("Initialized")));
    }
}
