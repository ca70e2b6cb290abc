package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.Note;
import java.net.HttpURLConnection;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The same over Fabric8's client. Any thread. */
public final class Fabric8KubernetesApi implements KubernetesApi {
    /** Not in Java's list. */
    private static final int UNPROCESSABLE = 422;

    private final KubernetesClient client;

    /** Asked once: a server that is upgraded while the operator runs goes on serving the old version for long. */
    private volatile @Nullable Boolean budgetsAreV1;

    public Fabric8KubernetesApi(KubernetesClient client) {
        this.client = client;
    }

    @Override
    public boolean budgetsAreV1() {
        Boolean known = budgetsAreV1;
        if (known == null) {
            known = client.supports("policy/v1", "PodDisruptionBudget");
            budgetsAreV1 = known;
        }
        return known;
    }

    @Override
    public Optional<Secret> secret(String namespace, String name) {
        return Optional.ofNullable(
                client.secrets().inNamespace(namespace).withName(name).get());
    }

    @Override
    public Optional<ConfigMap> configMap(String namespace, String name) {
        return Optional.ofNullable(
                client.configMaps().inNamespace(namespace).withName(name).get());
    }

    @Override
    public Optional<StatefulSet> statefulSet(String namespace, String name) {
        return Optional.ofNullable(client.apps()
                .statefulSets()
                .inNamespace(namespace)
                .withName(name)
                .get());
    }

    @Override
    public List<Pod> pods(String namespace, Map<String, String> labels) {
        return client.pods().inNamespace(namespace).withLabels(labels).list().getItems();
    }

    @Override
    public List<PersistentVolumeClaim> claims(String namespace) {
        return client.persistentVolumeClaims().inNamespace(namespace).list().getItems();
    }

    @Override
    public HasMetadata apply(HasMetadata object) {
        requireOurs(object, client.resource(object).get());
        return client.resource(object)
                .fieldManager(ClusterRef.MANAGER)
                .forceConflicts()
                .serverSideApply();
    }

    /** What somebody else made under this name is neither changed nor taken over, or it would go with the cluster. */
    static void requireOurs(HasMetadata wanted, @Nullable HasMetadata present) {
        Map<String, String> labels = wanted.getMetadata().getLabels();
        if (present == null
                || Optional.ofNullable(present.getMetadata().getLabels())
                        .orElse(Map.of())
                        .entrySet()
                        .containsAll(Map.of(
                                        ClusterRef.MANAGER_LABEL,
                                        labels.get(ClusterRef.MANAGER_LABEL),
                                        ClusterRef.CLUSTER_LABEL,
                                        labels.get(ClusterRef.CLUSTER_LABEL))
                                .entrySet())) {
            return;
        }
        throw new IllegalStateException(
                "%s '%s' exists in namespace '%s' and is not this cluster's (no labels %s and %s of it): delete it, or name the cluster differently"
                        .formatted(
                                wanted.getKind(),
                                wanted.getMetadata().getName(),
                                wanted.getMetadata().getNamespace(),
                                ClusterRef.MANAGER_LABEL,
                                ClusterRef.CLUSTER_LABEL));
    }

    @Override
    public boolean create(Secret secret) {
        try {
            client.resource(secret).create();
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void tell(HasMetadata resource, Note note, Instant when) {
        Event event = EventShapes.event(resource, note, when);
        var there = client.v1()
                .events()
                .inNamespace(event.getMetadata().getNamespace())
                .withName(event.getMetadata().getName());
        try {
            client.resource(event).create();
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
            Event before = there.get();
            int count =
                    before == null ? 0 : Optional.ofNullable(before.getCount()).orElse(0);
            ignoringGone(() -> there.patch(PatchContext.of(PatchType.JSON_MERGE), EventShapes.again(count + 1, when)));
        }
    }

    @Override
    public void deletePod(String namespace, String name, String uid) {
        var options = new DeleteOptionsBuilder()
                .withNewPreconditions()
                .withUid(uid)
                .endPreconditions()
                .build();
        String path = "/api/v1/namespaces/%s/pods/%s".formatted(namespace, name);
        ignoringGone(() -> client.raw(path, "DELETE", options));
    }

    @Override
    public void labelPod(String namespace, String name, String uid, String label, String value) {
        // The uid in the patch makes the server refuse when the pod is another one by now.
        String patch = "{\"metadata\":{\"uid\":\"%s\",\"labels\":{\"%s\":\"%s\"}}}".formatted(uid, label, value);
        ignoringGone(() -> client.pods()
                .inNamespace(namespace)
                .withName(name)
                .patch(PatchContext.of(PatchType.JSON_MERGE), patch));
    }

    private static void ignoringGone(Runnable call) {
        try {
            call.run();
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND
                    && e.getCode() != HttpURLConnection.HTTP_CONFLICT
                    && e.getCode() != UNPROCESSABLE) {
                throw e;
            }
        }
    }
}
