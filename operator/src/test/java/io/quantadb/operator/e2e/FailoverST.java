package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a cluster on Kubernetes survives while rows are written; each strike is audited, and made sure to have struck. */
@ExtendWith(KeepsLogs.class)
class FailoverST {
    private static final String NAMESPACE = "quantadb-e2e-failover";
    private static final Duration KUBELET_REPORTS_WITHIN = Duration.ofSeconds(90);

    /** What a container's status says after SIGKILL: 128 + 9. */
    private static final int KILLED = 137;

    /** The image has no pgrep. */
    private static final String KILL_AGENT =
            "for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" != java ] || kill -9 ${p#/proc/}; done";

    private static TestCluster cluster;

    @BeforeAll
    static void appliesTheQuickStart() {
        cluster = TestCluster.in(NAMESPACE).apply();
    }

    @AfterAll
    static void removesTheNamespace() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @BeforeEach
    void theClusterIsWhole() {
        cluster.settles();
    }

    @Test
    void survivesThatThePrimarysPodIsDeleted() throws Exception {
        cluster.survives("primary's pod deleted at once", FailoverST::deletePod);
    }

    @Test
    void survivesThatThePrimarysServerIsKilled() throws Exception {
        cluster.survives("primary's PostgreSQL killed with -9", primary -> {
            // A killed process stays as a zombie until the agent has asked for its end.
            String said = inContainer(primary, """
                    pid=$(head -n 1 /var/lib/quantadb/node/*/postmaster.pid) && kill -9 "$pid" || exit 3
                    for i in $(seq 100); do
                        grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" || { echo "gone $pid"; exit 0; }
                        sleep 0.05
                    done
                    exit 4""");
            assertThat(said).startsWith("gone ");
        });
    }

    @Test
    void survivesThatThePrimarysAgentIsKilled() throws Exception {
        cluster.survives(
                "primary's agent killed with -9",
                primary -> restarts(primary, () -> strikeInContainer(primary, KILL_AGENT)));
    }

    @Test
    void survivesThatEveryProcessOfThePrimaryIsKilled() throws Exception {
        cluster.survives(
                "every process of the primary killed with -9",
                primary -> restarts(primary, () -> strikeInContainer(primary, "kill -9 -1")));
    }

    @Test
    void survivesThatThePrimarysContainerIsKilled() throws Exception {
        PodProcesses.assumeLocal();
        cluster.survives(
                "primary's container killed",
                primary -> restarts(primary, () -> new PodProcesses(cluster.uid(primary)).killContainer()));
    }

    @Test
    void survivesWithoutAnOperator() throws Exception {
        String before = cluster.status().currentPrimary();
        cluster.operator().scale(0);
        try {
            cluster.survives("primary's pod deleted with no operator", FailoverST::deletePod);
            assertThat(cluster.status().currentPrimary())
                    .as("nobody writes the status")
                    .isEqualTo(before);
        } finally {
            cluster.operator().scale(1);
        }
        await("the operator tells the new primary")
                .atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(cluster.status().currentPrimary())
                        .isNotNull()
                        .isNotEqualTo(before));
    }

    @Test
    void survivesWithoutAnApiServer() throws Exception {
        PodProcesses.assumeLocal();
        Assumptions.assumeTrue(cluster.reach().direct(), "sessions go through the API server, which is to be away");
        String struck = cluster.status().currentPrimary();
        String uid = cluster.uid(struck);
        String before = cluster.container(struck).getContainerID();
        try {
            cluster.survives("primary's pod killed with no API server", primary -> {
                kube("stop-apiserver");
                assertThat(Commands.attempt(
                                        Duration.ofSeconds(20),
                                        Map.of(),
                                        "kubectl",
                                        "--request-timeout=2s",
                                        "get",
                                        "--raw",
                                        "/readyz")
                                .status())
                        .as("the API server answers still")
                        .isNotZero();
                new PodProcesses(uid).killPod();
            });
        } finally {
            kube("start-apiserver");
        }
        // The API tells the state of before the strike until the kubelet has reported: the next test would strike a
        // second node while this one is still away.
        await("the API tells of the new container")
                .atMost(KUBELET_REPORTS_WITHIN)
                .pollInterval(Duration.ofMillis(500))
                .ignoreExceptions()
                .untilAsserted(() -> {
                    assertThat(cluster.container(struck).getContainerID())
                            .isNotNull()
                            .isNotEqualTo(before);
                    assertThat(cluster.container(struck).getReady()).isTrue();
                });
    }

    /** As somebody does it who has kubectl alone: each pod once, each only when all are well, the primary's last. */
    @Test
    void survivesThatEveryPodIsRestartedByHand() throws Exception {
        List<String> pods = cluster.podNames();
        Map<String, String> before = pods.stream().collect(Collectors.toMap(pod -> pod, cluster::uid));
        String primary = cluster.status().currentPrimary();
        cluster.writes("every pod deleted one after the other, the primary's last", () -> {
            for (String pod : pods) {
                if (!pod.equals(primary)) {
                    cluster.delete(pod);
                    cluster.awaitAnotherPod(pod, before.get(pod));
                    cluster.settles();
                }
            }
            if (primary.equals(cluster.status().currentPrimary())) {
                handsOver(primary, () -> cluster.delete(primary));
            } else {
                TestCluster.say("the primary moved while standbys were restarted: a machine this slow fails over");
                cluster.delete(primary);
            }
            cluster.awaitAnotherPod(primary, before.get(primary));
            cluster.settles();
        });
        assertThat(pods).allMatch(pod -> !cluster.uid(pod).equals(before.get(pod)));
    }

    /** What {@code kubectl drain} does to the node that the primary is on. */
    @Test
    void survivesThatThePrimaryIsEvicted() throws Exception {
        cluster.survives(
                "primary evicted",
                primary -> handsOver(primary, () -> {
                    await("the disruption budget has seen three healthy pods")
                            .atMost(Duration.ofMinutes(1))
                            .until(() -> cluster.evict(primary));
                    assertThat(cluster.disruptionsAllowed())
                            .as("more that may be evicted before this one is back")
                            .isEqualTo("0");
                }));
    }

    /**
     * The primary's agent, told to end, asks for a switchover first. Where the machine is too slow for its time-outs it stops
     * in order all the same, and the others fail over; which of the two it was is told.
     */
    private static void handsOver(String primary, Runnable end) {
        String asked = "leaving=true";
        String moved = "switchover: %s leaves".formatted(primary);
        String ended = "this primary stopped in order";
        try (LogWatches logs = cluster.watchLogs()) {
            long askedBefore = logs.count(asked);
            long movedBefore = logs.count(moved);
            long endedBefore = logs.count(ended);
            end.run();
            await("the agent that is told to end asks for a switchover")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> logs.count(asked) > askedBefore);
            await("it has an end")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> logs.count(moved) > movedBefore || logs.count(ended) > endedBefore);
            TestCluster.say("%s left by %s"
                    .formatted(primary, logs.count(moved) > movedBefore ? "a switchover" : "a stop and a failover"));
        }
    }

    private static void kube(String command) {
        Commands.run(Duration.ofMinutes(2), Map.of(), "hack/kube", command);
    }

    private static void deletePod(String pod) {
        String uid = cluster.uid(pod);
        cluster.deleteAtOnce(pod);
        cluster.awaitAnotherPod(pod, uid);
    }

    /** Runs the strike and waits until the kubelet tells that the container was killed and started again. */
    private static void restarts(String pod, Runnable strike) {
        String before = cluster.container(pod).getContainerID();
        strike.run();
        await("the container's death is reported")
                .atMost(KUBELET_REPORTS_WITHIN)
                .pollInterval(Duration.ofMillis(500))
                .untilAsserted(() -> {
                    var last = cluster.container(pod).getLastState().getTerminated();
                    assertThat(last).isNotNull();
                    assertThat(last.getContainerID()).isEqualTo(before);
                    assertThat(last.getExitCode()).isEqualTo(KILLED);
                });
    }

    /** A script that must end well; its output. */
    private static String inContainer(String pod, String script) throws Exception {
        var out = new ByteArrayOutputStream();
        try (var exec = cluster.client()
                .pods()
                .inNamespace(NAMESPACE)
                .withName(pod)
                .inContainer("node")
                .writingOutput(out)
                .writingError(out)
                .exec("sh", "-c", script)) {
            Integer status = exec.exitCode().get(30, TimeUnit.SECONDS);
            assertThat(status).as(out.toString(StandardCharsets.UTF_8)).isZero();
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    /** A script that does not survive what it does; whether it struck is seen from outside. */
    private static void strikeInContainer(String pod, String script) {
        try (var exec = cluster.client()
                .pods()
                .inNamespace(NAMESPACE)
                .withName(pod)
                .inContainer("node")
                .exec("sh", "-c", script)) {
            exec.exitCode()
                    .completeOnTimeout(-1, 5, TimeUnit.SECONDS)
                    .exceptionally(e -> -1)
                    .join();
        }
    }
}
