package io.quantadb.operator.status;

import static io.quantadb.operator.testing.Clusters.CLUSTER_ID;
import static io.quantadb.operator.testing.Clusters.NOW;
import static io.quantadb.operator.testing.Clusters.ORDERS;
import static io.quantadb.operator.testing.Clusters.REVISION;
import static io.quantadb.operator.testing.Clusters.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.crd.common.Condition;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.Finding;
import io.quantadb.operator.model.ImageChoice;
import io.quantadb.operator.model.Plan;
import io.quantadb.operator.nodeapi.FoundingAnswer;
import io.quantadb.operator.testing.Clusters.Seen;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StatusMakerTest {
    private static final QuantaClusterStatus NEW = QuantaClusterStatus.none();
    private static final QuantaClusterStatus FOUNDED = with("Initialized", "True");

    private static QuantaClusterStatus status(QuantaClusterStatus kept, Seen seen, Finding... findings) {
        return status(kept, seen, Optional.empty(), Optional.empty(), findings);
    }

    private static QuantaClusterStatus status(
            QuantaClusterStatus kept,
            Seen seen,
            Optional<FoundingAnswer> founding,
            Optional<String> failure,
            Finding... findings) {
        var evidence = new Evidence(
                ORDERS,
                7,
                3,
                seen.done(),
                new Plan(List.of(), 3, new ImageChoice("quantadb.io/node:1.0", "1.0")),
                List.of(findings),
                Optional.empty(),
                founding,
                failure,
                NOW);
        return new StatusMaker(kept, evidence).make();
    }

    private static String told(QuantaClusterStatus status, String type) {
        Condition condition = status.condition(type).orElseThrow();
        return condition.status() + " " + condition.reason();
    }

    @Test
    void everyConditionIsThereFromTheFirstReconcileAndOfThisGeneration() {
        QuantaClusterStatus status = status(NEW, Seen.nothing());
        assertThat(status.conditions())
                .extracting(Condition::type)
                .containsExactly("Available", "Ready", "Progressing", "Degraded", "Initialized", "Stalled");
        assertThat(status.conditions())
                .allSatisfy(c -> assertThat(c.observedGeneration()).isEqualTo(7));
        assertThat(status.observedGeneration()).isEqualTo(7);
        assertThat(told(status, "Available")).isEqualTo("False Bootstrapping");
        assertThat(told(status, "Initialized")).isEqualTo("False Bootstrapping");
    }

    @Test
    void doesNotCallItALostQuorumWhileTheFirstPrimaryComesUp() {
        QuantaClusterStatus founded = status(NEW, Seen.objects(3).formless("orders-0", "orders-1", "orders-2"));
        Seen seen = Seen.objects(3).says("orders-0", "PRIMARY", false, 1).formless("orders-1", "orders-2");

        QuantaClusterStatus forming = status(founded, seen);
        assertThat(told(forming, "Available")).isEqualTo("False Bootstrapping");
        assertThat(told(forming, "Ready")).isEqualTo("False Bootstrapping");

        assertThat(told(status(forming, seen.says("orders-0", "PRIMARY", true, 1)), "Available"))
                .isEqualTo("True PrimaryServing");
        assertThat(told(status(forming, seen.says("orders-0", "PRIMARY", false, 2)), "Available"))
                .as("it has had a primary before")
                .isEqualTo("False QuorumLost");
    }

    @Test
    void isNotAvailableBeforeAServiceLeadsToAPod() {
        Seen serving = Seen.serving(3);
        for (int i = 0; i < 3; i++) {
            serving = serving.pod("orders-" + i, false, REVISION);
        }
        QuantaClusterStatus status = status(FOUNDED, serving);
        assertThat(told(status, "Available")).isEqualTo("False NoReadyInstance");
        assertThat(told(status, "Ready")).startsWith("False");

        assertThat(told(status(FOUNDED, serving.pod("orders-1", true, REVISION)), "Available"))
                .isEqualTo("True PrimaryServing");
    }

    @Test
    void saysInKubernetesWordsWhyAPodCannotRun() {
        String words = "ErrImagePull: no such image";
        QuantaClusterStatus creating =
                status(NEW, Seen.objects(3).troubled("orders-1", words).silent("orders-1", "orders-2"));
        assertThat(told(creating, "Ready")).isEqualTo("False InstanceCannotRun");
        assertThat(creating.condition("Ready").orElseThrow().message())
                .isEqualTo(
                        "0 of 3 nodes answer; founding needs all (orders-2: no answer within 2000 ms) (orders-1: ErrImagePull: no such image)");

        QuantaClusterStatus running = status(FOUNDED, Seen.serving(3).troubled("orders-2", words));
        assertThat(told(running, "Progressing")).isEqualTo("True InstanceCannotRun");
        assertThat(running.condition("Ready").orElseThrow().message())
                .isEqualTo("orders-2 not ready yet (orders-2: ErrImagePull: no such image)");
    }

    @Test
    void isReadyWhenWritesAreServedAndAllIsInPlace() {
        QuantaClusterStatus status = status(FOUNDED, Seen.serving(3));
        assertThat(told(status, "Available")).isEqualTo("True PrimaryServing");
        assertThat(told(status, "Ready")).isEqualTo("True AllInstancesReady");
        assertThat(told(status, "Progressing")).isEqualTo("False Complete");
        assertThat(told(status, "Degraded")).isEqualTo("False FullRedundancy");
        assertThat(told(status, "Stalled")).isEqualTo("False NotStalled");
        assertThat(status.currentPrimary()).isEqualTo("orders-0");
        assertThat(status.readyInstances()).isEqualTo(3);
        assertThat(status.endpoints().readWrite()).isEqualTo("orders-rw.shop.svc:5432");
        assertThat(status.members()).extracting("state").containsExactly("Active", "Streaming", "Streaming");
    }

    @Test
    void isNotAvailableThoughAllPodsAreReadyUntilANodeSaysThatItServes() {
        Seen seen = Seen.serving(3).says("orders-0", "PRIMARY", false, 1);
        assertThat(told(status(FOUNDED, seen), "Available")).isEqualTo("False ElectionInProgress");
        assertThat(told(status(FOUNDED, seen), "Ready")).isEqualTo("False ElectionInProgress");
    }

    @Test
    void doesNotGuessWhenNobodyAnswers() {
        Seen seen = Seen.serving(3).silent("orders-0", "orders-1", "orders-2");
        assertThat(told(status(FOUNDED, seen), "Available")).isEqualTo("Unknown NodesSilent");
        assertThat(told(status(FOUNDED, seen), "Degraded")).isEqualTo("Unknown NotServing");
    }

    @Test
    void saysThatTheQuorumIsLostWhenTooFewNodesAnswer() {
        Seen seen = Seen.serving(3).silent("orders-0", "orders-1");
        assertThat(told(status(FOUNDED, seen), "Available")).isEqualTo("False QuorumLost");
    }

    @Test
    void believesTheHigherEpochWhenTwoSayThatTheyServe() {
        Seen seen = Seen.serving(3).says("orders-2", "PRIMARY", true, 2);
        assertThat(status(FOUNDED, seen).currentPrimary()).isEqualTo("orders-2");
        assertThat(status(FOUNDED, seen).epoch()).isEqualTo(2);
    }

    @Test
    void isAvailableAndDegradedWithACopyLess() {
        Seen seen = Seen.serving(3).member("orders-2", "REPLICA", "DOWN").pod("orders-2", false, REVISION);
        QuantaClusterStatus status = status(FOUNDED, seen);
        assertThat(told(status, "Available")).isEqualTo("True PrimaryServing");
        assertThat(told(status, "Degraded")).isEqualTo("True FewerCopies");
        assertThat(told(status, "Ready")).isEqualTo("False InstanceNotReady");
        assertThat(told(status, "Progressing")).isEqualTo("True InstanceNotReady");
    }

    @Test
    void saysThatARestartIsRequiredAndMakesNone() {
        Seen seen = Seen.serving(3).pod("orders-1", true, "orders-old");
        QuantaClusterStatus status = status(FOUNDED, seen);
        assertThat(told(status, "Ready")).isEqualTo("False RestartRequired");
        assertThat(told(status, "Progressing")).isEqualTo("False RestartRequired");
        assertThat(status.condition("Ready").orElseThrow().message())
                .startsWith("still with the settings of before: orders-1;");
    }

    @Test
    void saysWhatAPersonHasToDoWhileItServesOn() {
        var finding = new Finding("ScaleDownRefused", "set it back", false);
        QuantaClusterStatus status = status(FOUNDED, Seen.serving(3), finding);
        assertThat(told(status, "Stalled")).isEqualTo("True ScaleDownRefused");
        assertThat(told(status, "Ready")).isEqualTo("False ScaleDownRefused");
        assertThat(told(status, "Available")).isEqualTo("True PrimaryServing");
    }

    @Test
    void initializedIsNeverTakenBack() {
        assertThat(told(status(FOUNDED, Seen.objects(3).formless("orders-0")), "Initialized"))
                .isEqualTo("True Bootstrapped");
        assertThat(told(status(NEW, Seen.serving(1)), "Initialized")).isEqualTo("True Bootstrapped");
    }

    @Test
    void foundingMakesItInitializedBeforeAnythingIsServed() {
        QuantaClusterStatus status = status(
                NEW,
                Seen.objects(3).formless("orders-0", "orders-1", "orders-2"),
                Optional.of(new FoundingAnswer.Founded("uid.0123456789abcdef")),
                Optional.empty());
        assertThat(told(status, "Initialized")).isEqualTo("True Bootstrapped");
        assertThat(told(status, "Available")).isEqualTo("False Bootstrapping");
        assertThat(status.clusterId()).isEqualTo("uid.0123456789abcdef");
    }

    @Test
    void theClusterIsNamedByItsNodesWhereTheOperatorEndedRightAfterTheFounding() {
        assertThat(status(NEW, Seen.objects(3).starting("orders-0", "orders-1", "orders-2"))
                        .clusterId())
                .as("nobody plays a part in it yet")
                .isNull();
        QuantaClusterStatus told = status(NEW, Seen.serving(3));
        assertThat(told.clusterId()).isEqualTo(CLUSTER_ID);
        assertThat(status(told, Seen.objects(3).silent("orders-0", "orders-1", "orders-2"))
                        .clusterId())
                .isEqualTo(CLUSTER_ID);
    }

    @Test
    void repeatsTheWordsOfANodeThatRefusesToFound() {
        QuantaClusterStatus status = status(
                NEW,
                Seen.objects(3).formless("orders-0", "orders-1", "orders-2"),
                Optional.of(new FoundingAnswer.Refused("peer orders-2 knows another cluster")),
                Optional.empty());
        assertThat(told(status, "Initialized")).isEqualTo("False Bootstrapping");
        assertThat(status.condition("Progressing").orElseThrow().message())
                .contains("peer orders-2 knows another cluster");
    }

    @Test
    void tellsAFailureAndGoesOnTellingTheRest() {
        QuantaClusterStatus status =
                status(FOUNDED, Seen.serving(3), Optional.empty(), Optional.of("the server refused"));
        assertThat(told(status, "Progressing")).isEqualTo("True Retrying");
        assertThat(told(status, "Available")).isEqualTo("True PrimaryServing");
    }

    @Test
    void aFailureWithoutWordsLeavesNoTextEmpty() {
        QuantaClusterStatus status = status(FOUNDED, Seen.serving(3), Optional.empty(), Optional.of(""));
        assertThat(status.condition("Progressing").orElseThrow().message()).isEqualTo("Retrying");
        assertThat(status.conditions()).allSatisfy(c -> assertThat(c.message()).isNotBlank());
    }

    @Test
    void aTransitionTimeChangesOnlyWithTheStatus() {
        QuantaClusterStatus first = status(FOUNDED, Seen.serving(3));
        assertThat(first.condition("Initialized").orElseThrow().lastTransitionTime())
                .isEqualTo("2026-01-01T00:00:00Z");
        assertThat(first.condition("Available").orElseThrow().lastTransitionTime())
                .isEqualTo("2026-03-01T12:00:00Z");
        assertThat(status(first, Seen.serving(3))).isEqualTo(first);
    }

    @Test
    void keepsTheMembersThatItKnewWhileNobodyAnswers() {
        QuantaClusterStatus before = status(FOUNDED, Seen.serving(3));
        QuantaClusterStatus after = status(before, Seen.objects(3).silent("orders-0", "orders-1", "orders-2"));
        assertThat(after.members()).extracting("name").containsExactly("orders-0", "orders-1", "orders-2");
        assertThat(after.members()).extracting("state").containsOnly("Unknown");
        assertThat(after.epoch()).isEqualTo(1);
    }
}
