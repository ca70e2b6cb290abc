package io.quantadb.operator.model;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Every object that a cluster consists of, but for Secrets, which need randomness and are made once.
 *
 * <p>Owned by the cluster's resource, so that they go with it. The volume claims are not: the StatefulSet makes them
 * from its template, and they stay.
 */
final class DesiredObjects {
    private final ClusterRef ref;
    private final QuantaClusterSpec spec;
    private final ImageChoice image;
    private final int instances;

    DesiredObjects(ClusterRef ref, QuantaClusterSpec spec, ImageChoice image, int instances) {
        this.ref = ref;
        this.spec = spec;
        this.image = image;
        this.instances = instances;
    }

    /** In the order in which they are to be made: what a pod needs comes before the pods. */
    List<HasMetadata> all(boolean budgetsAreV1) {
        var all = new ArrayList<HasMetadata>(List.of(
                serviceAccount(),
                configMap(),
                nodesService(),
                primaryService(ref.name()),
                primaryService(ref.readWriteService()),
                readOnlyService()));
        if (instances > 1) {
            all.add(budgetsAreV1 ? budget() : budgetBefore121());
        }
        all.add(statefulSet());
        return List.copyOf(all);
    }

    private ServiceAccount serviceAccount() {
        return new ServiceAccountBuilder()
                .withMetadata(meta(ref.name()))
                .withAutomountServiceAccountToken(false)
                .build();
    }

    private ConfigMap configMap() {
        return new ConfigMapBuilder()
                .withMetadata(meta(ref.configMap()))
                .withData(Map.of(NodeConfiguration.FILE, NodeConfiguration.text(ref, spec, instances)))
                .build();
    }

    /** Nodes find each other by it before they are ready. */
    private Service nodesService() {
        return new ServiceBuilder()
                .withMetadata(meta(ref.nodesService()))
                .withNewSpec()
                .withClusterIP("None")
                .withPublishNotReadyAddresses(true)
                .withSelector(ref.podSelector())
                .withPorts(Ports.all().stream()
                        .map(p -> port(p.word(), p.number(), p))
                        .toList())
                .endSpec()
                .build();
    }

    /** Any ready node will do: its listener follows the primary. */
    private Service primaryService(String name) {
        return new ServiceBuilder()
                .withMetadata(meta(name))
                .withNewSpec()
                .withType("ClusterIP")
                .withSelector(ref.podSelector())
                .withPorts(port("sql", Ports.SQL.number(), Ports.PRIMARY))
                .endSpec()
                .build();
    }

    private Service readOnlyService() {
        var selector = ref.podSelector();
        selector.put(ClusterRef.ROLE_LABEL, Roles.REPLICA);
        return new ServiceBuilder()
                .withMetadata(meta(ref.readOnlyService()))
                .withNewSpec()
                .withType("ClusterIP")
                .withSelector(selector)
                .withPorts(port("sql", Ports.SQL.number(), Ports.SQL))
                .endSpec()
                .build();
    }

    private static ServicePort port(String name, int number, Ports target) {
        return new ServicePortBuilder()
                .withName(name)
                .withPort(number)
                .withProtocol("TCP")
                .withTargetPort(new IntOrString(target.word()))
                .build();
    }

    private io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget budget() {
        return new io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetBuilder()
                .withMetadata(meta(ref.name()))
                .withNewSpec()
                .withMaxUnavailable(new IntOrString(1))
                .withNewSelector()
                .withMatchLabels(ref.podSelector())
                .endSelector()
                .endSpec()
                .build();
    }

    private io.fabric8.kubernetes.api.model.policy.v1beta1.PodDisruptionBudget budgetBefore121() {
        return new io.fabric8.kubernetes.api.model.policy.v1beta1.PodDisruptionBudgetBuilder()
                .withMetadata(meta(ref.name()))
                .withNewSpec()
                .withMaxUnavailable(new IntOrString(1))
                .withNewSelector()
                .withMatchLabels(ref.podSelector())
                .endSelector()
                .endSpec()
                .build();
    }

    /** All nodes start at once, and none is restarted because something changed: the operator orders that. */
    private StatefulSet statefulSet() {
        return new StatefulSetBuilder()
                .withMetadata(meta(ref.name()))
                .withNewSpec()
                .withServiceName(ref.nodesService())
                .withReplicas(instances)
                .withPodManagementPolicy("Parallel")
                .withNewUpdateStrategy()
                .withType("OnDelete")
                .endUpdateStrategy()
                .withNewSelector()
                .withMatchLabels(ref.podSelector())
                .endSelector()
                .withTemplate(NodePod.template(ref, spec, image))
                .withVolumeClaimTemplates(claim())
                .endSpec()
                .build();
    }

    private PersistentVolumeClaim claim() {
        return new PersistentVolumeClaimBuilder()
                .withApiVersion("v1")
                .withKind("PersistentVolumeClaim")
                .withNewMetadata()
                .withName(NodePod.DATA_VOLUME)
                .withLabels(ref.labels())
                .endMetadata()
                .withNewSpec()
                .withAccessModes("ReadWriteOnce")
                .withVolumeMode("Filesystem")
                .withStorageClassName(spec.storage().storageClassName())
                .withNewResources()
                .addToRequests("storage", spec.storage().size())
                .endResources()
                .endSpec()
                .build();
    }

    private ObjectMeta meta(String name) {
        return new ObjectMetaBuilder()
                .withNamespace(ref.namespace())
                .withName(name)
                .withLabels(ref.labels())
                .withOwnerReferences(DesiredOwner.of(ref))
                .build();
    }
}
