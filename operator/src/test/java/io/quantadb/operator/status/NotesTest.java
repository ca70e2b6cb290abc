package io.quantadb.operator.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.crd.common.Condition;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.Note;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NotesTest {
    private static final QuantaClusterStatus NEW = QuantaClusterStatus.none();

    /** Conditions as "Type Status Reason", and who is primary in which epoch. */
    private static QuantaClusterStatus status(String primary, long epoch, String... conditions) {
        var list = new ArrayList<Condition>();
        for (String condition : conditions) {
            String[] words = condition.split(" ");
            list.add(new Condition(words[0], words[1], 1, "2026-01-01T00:00:00Z", words[2], words[0] + " words"));
        }
        return new QuantaClusterStatus(1, list, 3, 3, "", primary, epoch, null, null, null, null, null, List.of());
    }

    private static final QuantaClusterStatus WELL = status(
            "orders-0",
            1,
            "Available True PrimaryServing",
            "Ready True AllInstancesReady",
            "Progressing False Complete",
            "Degraded False FullRedundancy",
            "Initialized True Bootstrapped",
            "Stalled False NotStalled");

    private static List<String> told(QuantaClusterStatus before, QuantaClusterStatus after) {
        return Notes.of(before, after).stream()
                .map(note -> (note.warning() ? "Warning " : "Normal ") + note.reason())
                .toList();
    }

    @Test
    void tellsNothingWhileNothingChanges() {
        assertThat(Notes.of(WELL, WELL)).isEmpty();
    }

    @Test
    void tellsHowAClusterCameUp() {
        QuantaClusterStatus first = status(
                null,
                0,
                "Available False Bootstrapping",
                "Ready False Bootstrapping",
                "Progressing True Bootstrapping",
                "Degraded Unknown NotServing",
                "Initialized False Bootstrapping",
                "Stalled False NotStalled");
        assertThat(told(NEW, first)).containsExactly("Normal Bootstrapping");
        assertThat(told(first, WELL))
                .containsExactly("Normal Bootstrapped", "Normal PrimaryServing", "Normal AllInstancesReady");
    }

    @Test
    void isNotAlarmedThatCopiesAreMissingWhileTheFirstAreMade() {
        QuantaClusterStatus waiting = status(null, 1, "Available False Bootstrapping", "Degraded Unknown NotServing");
        QuantaClusterStatus first = status("orders-0", 1, "Available True PrimaryServing", "Degraded True FewerCopies");
        assertThat(told(waiting, first)).containsExactly("Normal PrimaryServing");
        assertThat(told(first, WELL))
                .containsExactly("Normal Bootstrapped", "Normal FullRedundancy", "Normal AllInstancesReady");
    }

    @Test
    void tellsWhoTookOverAndThatACopyIsMissing() {
        QuantaClusterStatus after = status(
                "orders-1",
                2,
                "Available True PrimaryServing",
                "Ready False InstanceNotReady",
                "Progressing True InstanceNotReady",
                "Degraded True FewerCopies",
                "Initialized True Bootstrapped",
                "Stalled False NotStalled");
        assertThat(Notes.of(WELL, after))
                .containsExactly(
                        Note.of("PrimaryChanged", "orders-1 is primary in epoch 2; before it was orders-0"),
                        new Note(true, "FewerCopies", "Degraded words"));
        assertThat(told(after, WELL))
                .containsExactly("Normal PrimaryChanged", "Normal FullRedundancy", "Normal AllInstancesReady");
    }

    @Test
    void warnsWhenWritesAreNotServed() {
        QuantaClusterStatus after = status(
                null,
                1,
                "Available False QuorumLost",
                "Ready False QuorumLost",
                "Progressing True InstanceNotReady",
                "Degraded Unknown NotServing",
                "Initialized True Bootstrapped",
                "Stalled False NotStalled");
        assertThat(told(WELL, after)).containsExactly("Warning QuorumLost");
        assertThat(told(after, WELL)).containsExactly("Normal PrimaryServing", "Normal AllInstancesReady");
    }

    @Test
    void warnsWhenAPersonHasToDoSomethingAndTellsWhenItIsDone() {
        QuantaClusterStatus after = status(
                "orders-0",
                1,
                "Available True PrimaryServing",
                "Ready False InvalidSpec",
                "Progressing False InvalidSpec",
                "Degraded False FullRedundancy",
                "Initialized True Bootstrapped",
                "Stalled True InvalidSpec");
        assertThat(told(WELL, after)).containsExactly("Warning InvalidSpec");
        assertThat(told(after, WELL)).containsExactly("Normal NotStalled", "Normal AllInstancesReady");
    }

    @Test
    void warnsWhenAStepFailsOrAPodCannotRun() {
        assertThat(told(WELL, status("orders-0", 1, "Progressing True InstanceCannotRun")))
                .containsExactly("Warning InstanceCannotRun");
        assertThat(told(WELL, status("orders-0", 1, "Progressing True Retrying")))
                .containsExactly("Warning Retrying");
    }
}
