package io.quantadb.operator.observer;

import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.quantadb.operator.model.ObservedCluster.Workload;
import java.util.Objects;
import java.util.Optional;

/** Reads StatefulSets. */
final class Workloads {
    private static final Quantity NOTHING = new Quantity("0");

    private Workloads() {}

    /** Empty for one that is going. */
    static Optional<Workload> facts(StatefulSet set) {
        if (set.getMetadata().getDeletionTimestamp() != null) {
            return Optional.empty();
        }
        var status = Optional.ofNullable(set.getStatus());
        long seen = status.map(s -> s.getObservedGeneration()).orElse(0L);
        var claim = set.getSpec().getVolumeClaimTemplates().getFirst().getSpec();
        Quantity size =
                Objects.requireNonNullElse(claim.getResources().getRequests().get("storage"), NOTHING);
        return Optional.of(new Workload(
                Optional.ofNullable(set.getSpec().getReplicas()).orElse(1),
                seen == Optional.ofNullable(set.getMetadata().getGeneration()).orElse(0L),
                status.map(s -> s.getUpdateRevision()).orElse(""),
                size,
                claim.getStorageClassName()));
    }
}
