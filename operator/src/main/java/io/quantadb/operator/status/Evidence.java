package io.quantadb.operator.status;

import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.Finding;
import io.quantadb.operator.model.ObservedCluster;
import io.quantadb.operator.model.Plan;
import io.quantadb.operator.nodeapi.FoundingAnswer;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that a status is made from.
 *
 * @param generation of the spec that was looked at
 * @param wanted how many instances the spec asks for
 * @param permissionRecorded the pod that the permission was recorded for in this reconcile
 * @param founding what a node answered to the permission in this reconcile
 * @param failure why the steps were not all done; empty when they were
 */
public record Evidence(
        ClusterRef ref,
        long generation,
        int wanted,
        ObservedCluster seen,
        Plan plan,
        List<Finding> findings,
        Optional<String> permissionRecorded,
        Optional<FoundingAnswer> founding,
        Optional<String> failure,
        Instant now) {
    public Evidence {
        findings = List.copyOf(findings);
    }

    Optional<Finding> gravest() {
        return findings.stream().findFirst();
    }
}
