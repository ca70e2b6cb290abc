package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a reconcile looks at. Failures are Fabric8's {@code KubernetesClientException}, unchecked. */
public interface KubernetesReads {
    /** Whether {@code policy/v1} has disruption budgets here. */
    boolean budgetsAreV1();

    Optional<Secret> secret(String namespace, String name);

    Optional<ConfigMap> configMap(String namespace, String name);

    Optional<StatefulSet> statefulSet(String namespace, String name);

    List<Pod> pods(String namespace, Map<String, String> labels);

    List<PersistentVolumeClaim> claims(String namespace);
}
