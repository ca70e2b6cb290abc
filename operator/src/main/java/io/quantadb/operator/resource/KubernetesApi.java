package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a reconcile needs of Kubernetes. Reads go to the API server, not to a cache: a plan is made from what is there
 * now. Failures are Fabric8's {@code KubernetesClientException}, unchecked.
 */
public interface KubernetesApi {
    /** Whether {@code policy/v1} has disruption budgets here. */
    boolean budgetsAreV1();

    Optional<Secret> secret(String namespace, String name);

    Optional<ConfigMap> configMap(String namespace, String name);

    Optional<StatefulSet> statefulSet(String namespace, String name);

    List<Pod> pods(String namespace, Map<String, String> labels);

    List<PersistentVolumeClaim> claims(String namespace);

    /**
     * Server-side apply under the operator's name; takes over fields that others set. Fails with an
     * {@link IllegalStateException}, and changes nothing, when an object of this name belongs to somebody else.
     */
    void apply(HasMetadata object);

    /** Makes a Secret; false when there is one of this name already, which is left alone. */
    boolean create(Secret secret);

    /** Deletes this very pod: one of the same name made since stays. Fine when it is gone. */
    void deletePod(String namespace, String name, String uid);

    /** Labels this very pod; a pod of the same name made since, or none at all, is left alone. */
    void labelPod(String namespace, String name, String uid, String label, String value);
}
