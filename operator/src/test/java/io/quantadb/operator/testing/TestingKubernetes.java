package io.quantadb.operator.testing;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetStatus;
import io.quantadb.operator.model.Note;
import io.quantadb.operator.resource.KubernetesApi;
import io.quantadb.operator.resource.Watched;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Objects in memory, with a StatefulSet controller that makes pods at once. Can be told to die at its nth change, as an
 * operator is that was killed there.
 */
public final class TestingKubernetes implements KubernetesApi {
    /** What a killed operator does not live to handle. */
    public static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    private final Map<String, HasMetadata> objects = new TreeMap<>();
    private final List<String> changes = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private int changesUntilDeath = Integer.MAX_VALUE;

    /** Dies when it is to make the change after this many. */
    public void dieAfter(int count) {
        changesUntilDeath = count;
    }

    public void liveOn() {
        changesUntilDeath = Integer.MAX_VALUE;
    }

    /** What was changed, in order: verb, kind and name. */
    public List<String> changes() {
        return List.copyOf(changes);
    }

    public void remove(String kind, String name) {
        objects.keySet().removeIf(key -> key.startsWith(kind + "/") && key.endsWith("/" + name));
    }

    public void removeAll(String kind) {
        objects.keySet().removeIf(key -> key.startsWith(kind + "/"));
    }

    /** The names of all objects of a kind. */
    public List<String> names(String kind) {
        return objects.keySet().stream()
                .filter(key -> key.startsWith(kind + "/"))
                .map(key -> key.substring(key.lastIndexOf('/') + 1))
                .toList();
    }

    /** What watches hold that have heard of everything up to now, and hear nothing more. */
    public Watched watched() {
        List<HasMetadata> now = List.copyOf(objects.values());
        return type -> now.stream().filter(type::isInstance).toList();
    }

    private void change(String what) {
        if (changesUntilDeath-- <= 0) {
            throw new Killed();
        }
        changes.add(what);
    }

    private static String key(String kind, String namespace, String name) {
        return kind + "/" + namespace + "/" + name;
    }

    private static String key(HasMetadata object) {
        return key(
                object.getKind(),
                object.getMetadata().getNamespace(),
                object.getMetadata().getName());
    }

    private <T extends HasMetadata> Optional<T> get(Class<T> type, String namespace, String name) {
        return Optional.ofNullable(objects.get(key(HasMetadata.getKind(type), namespace, name)))
                .map(type::cast);
    }

    @Override
    public boolean budgetsAreV1() {
        return true;
    }

    @Override
    public Optional<Secret> secret(String namespace, String name) {
        return get(Secret.class, namespace, name);
    }

    @Override
    public Optional<ConfigMap> configMap(String namespace, String name) {
        return get(ConfigMap.class, namespace, name);
    }

    @Override
    public Optional<StatefulSet> statefulSet(String namespace, String name) {
        return get(StatefulSet.class, namespace, name);
    }

    @Override
    public List<Pod> pods(String namespace, Map<String, String> labels) {
        return objects.values().stream()
                .filter(Pod.class::isInstance)
                .map(Pod.class::cast)
                .filter(pod -> pod.getMetadata().getNamespace().equals(namespace)
                        && pod.getMetadata().getLabels().entrySet().containsAll(labels.entrySet()))
                .toList();
    }

    @Override
    public List<PersistentVolumeClaim> claims(String namespace) {
        return objects.values().stream()
                .filter(PersistentVolumeClaim.class::isInstance)
                .map(PersistentVolumeClaim.class::cast)
                .filter(claim -> claim.getMetadata().getNamespace().equals(namespace))
                .toList();
    }

    @Override
    public HasMetadata apply(HasMetadata object) {
        change("apply " + object.getKind() + " " + object.getMetadata().getName());
        objects.put(key(object), object);
        if (object instanceof StatefulSet set) {
            var status = new StatefulSetStatus();
            status.setUpdateRevision(String.valueOf(set.getSpec().getTemplate().hashCode()));
            set.setStatus(status);
            control();
        }
        return object;
    }

    /** What the StatefulSet controller does: the pods that are to be, and their claims. */
    public void control() {
        for (HasMetadata object : List.copyOf(objects.values())) {
            if (object instanceof StatefulSet set) {
                for (int i = 0; i < set.getSpec().getReplicas(); i++) {
                    startPod(set, set.getMetadata().getName() + "-" + i, i);
                }
            }
        }
    }

    private void startPod(StatefulSet set, String name, int index) {
        Map<String, String> labels =
                new TreeMap<>(set.getSpec().getTemplate().getMetadata().getLabels());
        labels.put("controller-revision-hash", set.getStatus().getUpdateRevision());
        Pod pod = new PodBuilder()
                .withNewMetadata()
                .withNamespace(set.getMetadata().getNamespace())
                .withName(name)
                .withUid("uid-" + name)
                .withLabels(labels)
                .endMetadata()
                .withNewStatus()
                .withPhase("Running")
                .withPodIP("10.0.0." + index)
                .addNewCondition()
                .withType("Ready")
                .withStatus("True")
                .endCondition()
                .endStatus()
                .build();
        objects.putIfAbsent(key(pod), pod);
        PersistentVolumeClaim claim = new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withNamespace(set.getMetadata().getNamespace())
                .withName("data-" + name)
                .endMetadata()
                .build();
        objects.putIfAbsent(key(claim), claim);
    }

    @Override
    public boolean create(Secret secret) {
        if (objects.containsKey(key(secret))) {
            return false;
        }
        change("create Secret " + secret.getMetadata().getName());
        objects.put(key(secret), secret);
        return true;
    }

    @Override
    public void tell(HasMetadata resource, Note note, Instant when) {
        notes.add((note.warning() ? "Warning " : "Normal ") + note.reason());
    }

    /** The events that were made, in order. */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public void deletePod(String namespace, String name, String uid) {
        change("delete Pod " + name);
        objects.remove(key("Pod", namespace, name));
        control();
    }

    @Override
    public void labelPod(String namespace, String name, String uid, String label, String value) {
        change("label Pod " + name + " " + value);
        get(Pod.class, namespace, name)
                .ifPresent(pod -> pod.getMetadata().getLabels().put(label, value));
    }
}
