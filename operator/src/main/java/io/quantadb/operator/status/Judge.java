package io.quantadb.operator.status;

import io.quantadb.operator.model.Finding;
import io.quantadb.operator.model.ObservedCluster;
import io.quantadb.operator.model.ObservedCluster.MemberFacts;
import io.quantadb.operator.model.ObservedCluster.NodeReport;
import io.quantadb.operator.model.ObservedCluster.PodFacts;
import io.quantadb.operator.nodeapi.FoundingAnswer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Judges the six conditions.
 *
 * <pre>
 * Available    a node says, of itself, that it serves writes now, and a pod is ready, so that the Services lead there
 * Ready        Available, and all of this generation is in place
 * Progressing  something is under way that ends by itself
 * Degraded     writes are served, with fewer good copies than the spec asks for
 * Initialized  the cluster was founded; never taken back
 * Stalled      a person has to do something
 * </pre>
 */
final class Judge {
    private final Evidence evidence;
    private final ObservedCluster seen;
    private final boolean initialized;
    private final boolean begun;
    private final boolean forming;

    /**
     * @param epochBefore the highest epoch that a node told before; 0 while none ever did
     * @param awaited whether it was said before that the cluster has yet to serve for the first time
     */
    Judge(Evidence evidence, boolean initialized, long epochBefore, boolean awaited) {
        this.evidence = evidence;
        this.seen = evidence.seen();
        this.initialized = initialized;
        this.begun = epochBefore > 0 || seen.epoch() > 0;
        this.forming = awaited && seen.epoch() <= 1;
    }

    Judgement available() {
        Optional<String> serving = seen.serving();
        if (serving.isPresent()
                && names(pod -> pod.ready() && !pod.deleting()).isEmpty()
                && !seen.pods().isEmpty()) {
            return Judgement.no(
                    "NoReadyInstance",
                    "%s serves writes, and no pod is ready yet: no Service leads to one".formatted(serving.get()));
        }
        if (serving.isPresent()) {
            return Judgement.yes(
                    "PrimaryServing", "%s serves writes in epoch %d".formatted(serving.get(), seen.epoch()));
        }
        Map<String, NodeReport.Answered> answers = seen.answers();
        if (!initialized) {
            return Judgement.no("Bootstrapping", "the cluster has not been founded yet");
        }
        if (!begun) {
            return Judgement.no("Bootstrapping", "the cluster was founded and has no primary yet");
        }
        if (seen.pods().isEmpty()) {
            return Judgement.no("NoInstance", "there is no pod");
        }
        if (answers.isEmpty()) {
            return Judgement.unknown("NodesSilent", "no node answers the operator: " + silence());
        }
        if (forming) {
            return Judgement.no("Bootstrapping", "the cluster was founded and does not serve writes yet" + words());
        }
        long formed =
                answers.values().stream().filter(NodeReport.Answered::formed).count();
        if (2 * formed <= evidence.plan().instances()) {
            return Judgement.no(
                    "QuorumLost",
                    "%d of %d nodes answer and know the cluster: too few for writes%s"
                            .formatted(formed, evidence.plan().instances(), words()));
        }
        return Judgement.no("ElectionInProgress", "no node serves writes at this moment" + words());
    }

    /** Why nodes do not answer; of those in whose pods nothing runs Kubernetes tells why. */
    private String silence() {
        List<String> stopped = names(pod -> !pod.trouble().isEmpty());
        return seen.nodes().entrySet().stream()
                .filter(e -> e.getValue() instanceof NodeReport.Silent && !stopped.contains(e.getKey()))
                .map(e -> e.getKey() + ": " + ((NodeReport.Silent) e.getValue()).why())
                .collect(Collectors.joining("; "));
    }

    /** What the nodes say about why not. */
    private String words() {
        String words = seen.answers().entrySet().stream()
                .filter(e -> !e.getValue().reason().isBlank())
                .map(e -> e.getKey() + ": " + e.getValue().reason())
                .collect(Collectors.joining("; "));
        return words.isEmpty() ? "" : " (" + words + ")";
    }

    Judgement stalled() {
        return evidence.gravest()
                .map(f -> Judgement.yes(f.reason(), sentences()))
                .orElseGet(() -> Judgement.no("NotStalled", "nothing waits for a person"));
    }

    private String sentences() {
        return evidence.findings().stream().map(Finding::message).collect(Collectors.joining(". "));
    }

    Judgement initialized() {
        return initialized
                ? Judgement.yes("Bootstrapped", "the cluster was founded")
                : Judgement.no("Bootstrapping", "the cluster has not been founded yet");
    }

    Judgement ready(Judgement available, Judgement progressing) {
        if (evidence.gravest().isPresent()) {
            return Judgement.no(evidence.gravest().get().reason(), sentences());
        }
        if (!initialized) {
            return Judgement.no(progressing.reason(), progressing.message());
        }
        if (!available.isTrue()) {
            return Judgement.no(available.reason(), available.message());
        }
        if (progressing.isTrue() || progressing.reason().equals("RestartRequired")) {
            return Judgement.no(progressing.reason(), progressing.message());
        }
        return Judgement.yes("AllInstancesReady", "all %d instances are ready".formatted(evidence.wanted()));
    }

    Judgement progressing() {
        if (evidence.failure().isPresent()) {
            return Judgement.yes("Retrying", evidence.failure().get());
        }
        if (evidence.findings().stream().anyMatch(Finding::blocking)) {
            return Judgement.no(
                    evidence.gravest().orElseThrow().reason(), "nothing of the spec is applied: see Stalled");
        }
        if (!initialized) {
            return underWay("Bootstrapping", bootstrapping());
        }
        int wanted = evidence.plan().instances();
        if (seen.members().size() < wanted && !seen.members().isEmpty()) {
            return underWay(
                    "Joining",
                    "%d of %d nodes are members".formatted(seen.members().size(), wanted));
        }
        if (seen.pods().size() < wanted) {
            return Judgement.yes(
                    "Scaling", "%d of %d pods exist".formatted(seen.pods().size(), wanted));
        }
        List<String> unready = names(pod -> !pod.ready() || pod.deleting());
        if (!unready.isEmpty()) {
            return underWay("InstanceNotReady", String.join(", ", unready) + " not ready yet");
        }
        List<String> ill = seen.members().stream()
                .filter(m -> !m.well())
                .map(MemberFacts::name)
                .toList();
        if (!ill.isEmpty()) {
            return Judgement.yes("ReplicaNotStreaming", String.join(", ", ill) + " not streaming yet");
        }
        return settled();
    }

    /** What ends by itself, unless Kubernetes cannot run a pod: that may want a person, and Kubernetes' own words. */
    private Judgement underWay(String reason, String message) {
        String troubles = troubles();
        return troubles.isEmpty()
                ? Judgement.yes(reason, message)
                : Judgement.yes("InstanceCannotRun", "%s (%s)".formatted(message, troubles));
    }

    private Judgement settled() {
        Optional<String> revision = seen.workload()
                .filter(ObservedCluster.Workload::upToDate)
                .map(ObservedCluster.Workload::updateRevision);
        if (revision.isEmpty()) {
            return Judgement.yes("Applying", "the StatefulSet's controller has not seen the change yet");
        }
        List<String> old = names(pod -> !pod.revision().equals(revision.get()));
        if (!old.isEmpty()) {
            return Judgement.no(
                    "RestartRequired",
                    "still with the settings of before: %s; the change takes effect when a pod is deleted, replicas first (restarts in order come in a later version)"
                            .formatted(String.join(", ", old)));
        }
        return Judgement.no("Complete", "everything is in place");
    }

    private String bootstrapping() {
        int wanted = evidence.plan().instances();
        if (evidence.founding().isPresent()) {
            return switch (evidence.founding().get()) {
                case FoundingAnswer.Founded _ -> "the cluster is being founded";
                case FoundingAnswer.Pending(String words) -> "the first node founds the cluster; it says: " + words;
                case FoundingAnswer.Refused(String words) -> "the first node refuses to found the cluster: " + words;
            };
        }
        if (evidence.permissionRecorded().isPresent()) {
            return evidence.permissionRecorded().get() + " is given the permission to found the cluster";
        }
        String silence = silence();
        return "%d of %d nodes answer; founding needs all%s"
                .formatted(seen.answers().size(), wanted, silence.isEmpty() ? "" : " (" + silence + ")");
    }

    /** Why pods do not run, in Kubernetes' words; empty when all do, or just start. */
    private String troubles() {
        return seen.pods().stream()
                .filter(pod -> !pod.trouble().isEmpty())
                .map(pod -> pod.name() + ": " + pod.trouble())
                .collect(Collectors.joining("; "));
    }

    private List<String> names(Predicate<PodFacts> which) {
        return seen.pods().stream().filter(which).map(PodFacts::name).toList();
    }

    Judgement degraded(Judgement available) {
        if (!available.isTrue()) {
            return Judgement.unknown("NotServing", "writes are not known to be served: see Available");
        }
        long well = seen.members().stream().filter(MemberFacts::well).count();
        if (seen.members().isEmpty()) {
            return Judgement.unknown("MembersUnknown", "no node told its members");
        }
        if (well < evidence.wanted()) {
            String ill = seen.members().stream()
                    .filter(m -> !m.well())
                    .map(m -> m.name() + " is " + m.state())
                    .collect(Collectors.joining(", "));
            return Judgement.yes(
                    "FewerCopies",
                    "%d of %d copies are good%s".formatted(well, evidence.wanted(), ill.isEmpty() ? "" : ": " + ill));
        }
        return Judgement.no("FullRedundancy", "all %d copies are good".formatted(well));
    }
}
