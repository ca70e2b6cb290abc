package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Takes from the watches what they hold. Secrets are not watched (who may watch some may read all), and claims are read
 * whosever labels they bear: both are asked of the server.
 */
public final class WatchedReads implements KubernetesReads {
    private final KubernetesReads server;
    private final Watched watched;

    public WatchedReads(KubernetesReads server, Watched watched) {
        this.server = server;
        this.watched = watched;
    }

    @Override
    public boolean budgetsAreV1() {
        return server.budgetsAreV1();
    }

    @Override
    public Optional<Secret> secret(String namespace, String name) {
        return server.secret(namespace, name);
    }

    @Override
    public Optional<ConfigMap> configMap(String namespace, String name) {
        return watched.named(ConfigMap.class, name);
    }

    @Override
    public Optional<StatefulSet> statefulSet(String namespace, String name) {
        return watched.named(StatefulSet.class, name);
    }

    @Override
    public List<Pod> pods(String namespace, Map<String, String> labels) {
        return watched.all(Pod.class).stream()
                .map(Pod.class::cast)
                .filter(pod -> pod.getMetadata().getLabels().entrySet().containsAll(labels.entrySet()))
                .toList();
    }

    @Override
    public List<PersistentVolumeClaim> claims(String namespace) {
        return server.claims(namespace);
    }
}
