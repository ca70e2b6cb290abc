package io.quantadb.operator.model;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.quantadb.crd.v1alpha1.QuantaCluster;

/** Makes Kubernetes delete an object together with its cluster. */
public final class DesiredOwner {
    private DesiredOwner() {}

    public static OwnerReference of(ClusterRef ref) {
        return new OwnerReferenceBuilder()
                .withApiVersion(HasMetadata.getApiVersion(QuantaCluster.class))
                .withKind(HasMetadata.getKind(QuantaCluster.class))
                .withName(ref.name())
                .withUid(ref.uid())
                .withController(true)
                .withBlockOwnerDeletion(true)
                .build();
    }
}
