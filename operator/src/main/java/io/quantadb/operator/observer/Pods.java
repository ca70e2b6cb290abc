package io.quantadb.operator.observer;

import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.ObservedCluster.PodFacts;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Reads pods. */
final class Pods {
    private static final String REVISION = "controller-revision-hash";

    /** Why a container waits when it waits for nothing but its turn. */
    private static final List<String> ORDINARY = List.of("ContainerCreating", "PodInitializing");

    private Pods() {}

    static PodFacts facts(Pod pod, boolean claimMissing) {
        var meta = pod.getMetadata();
        Map<String, String> labels = Optional.ofNullable(meta.getLabels()).orElse(Map.of());
        Optional<PodStatus> status = Optional.ofNullable(pod.getStatus());
        boolean ready = status.map(PodStatus::getConditions).orElse(List.of()).stream()
                .anyMatch(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()));
        return new PodFacts(
                meta.getName(),
                meta.getUid(),
                status.map(PodStatus::getPodIP).orElse(""),
                ready,
                meta.getDeletionTimestamp() != null,
                labels.getOrDefault(REVISION, ""),
                labels.getOrDefault(ClusterRef.ROLE_LABEL, ""),
                claimMissing,
                status.map(Pods::trouble).orElse(""));
    }

    static boolean isPending(Pod pod) {
        return pod.getStatus() != null && "Pending".equals(pod.getStatus().getPhase());
    }

    /** The number at the end of a pod's name; last when there is none. */
    static int ordinal(String name) {
        String digits = name.substring(name.lastIndexOf('-') + 1);
        return digits.matches("\\d{1,6}") ? Integer.parseInt(digits) : Integer.MAX_VALUE;
    }

    /** Why the pod does not run, in Kubernetes' words; empty when it runs or just starts. */
    private static String trouble(PodStatus status) {
        for (ContainerStatus container :
                Optional.ofNullable(status.getContainerStatuses()).orElse(List.of())) {
            ContainerStateWaiting waiting =
                    container.getState() == null ? null : container.getState().getWaiting();
            if (waiting != null && !ORDINARY.contains(waiting.getReason())) {
                return waiting.getReason() + message(waiting.getMessage());
            }
        }
        return Optional.ofNullable(status.getConditions()).orElse(List.of()).stream()
                .filter(c -> "PodScheduled".equals(c.getType()) && "False".equals(c.getStatus()))
                .map(c -> Objects.requireNonNullElse(c.getReason(), "") + message(c.getMessage()))
                .findFirst()
                .orElse("");
    }

    private static String message(@org.jspecify.annotations.Nullable String words) {
        return words == null || words.isBlank() ? "" : ": " + words;
    }
}
