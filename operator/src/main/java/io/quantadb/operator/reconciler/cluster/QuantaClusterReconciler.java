package io.quantadb.operator.reconciler.cluster;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.PrimaryUpdateAndCacheUtils;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.config.OperatorSettings;
import io.quantadb.operator.model.ClusterRef;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Brings a {@code QuantaCluster} closer to its spec. Called when the spec, or a pod, StatefulSet, Service, ConfigMap,
 * service account or disruption budget of the cluster changes, and by a timer: what nodes say of themselves changes without Kubernetes
 * noticing. Secrets are not watched, because who may watch some may read all: the timer sees to them. Never twice at
 * once for one cluster.
 *
 * <p>Only objects with the operator's label are watched and held in memory: a dozen per cluster, pods among them.
 */
@ControllerConfiguration(name = "quantacluster", fieldManager = ClusterRef.MANAGER)
public final class QuantaClusterReconciler implements Reconciler<QuantaCluster> {
    private final ClusterPass pass;
    private final OperatorSettings settings;

    public QuantaClusterReconciler(ClusterPass pass, OperatorSettings settings) {
        this.pass = pass;
        this.settings = settings;
    }

    @Override
    public List<EventSource<?, QuantaCluster>> prepareEventSources(EventSourceContext<QuantaCluster> context) {
        boolean budgetsAreV1 = context.getClient().supports("policy/v1", "PodDisruptionBudget");
        return List.of(
                source(Pod.class, context),
                source(StatefulSet.class, context),
                source(Service.class, context),
                source(ConfigMap.class, context),
                source(ServiceAccount.class, context),
                budgetsAreV1
                        ? source(io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget.class, context)
                        : source(io.fabric8.kubernetes.api.model.policy.v1beta1.PodDisruptionBudget.class, context));
    }

    private static <T extends HasMetadata> EventSource<T, QuantaCluster> source(
            Class<T> type, EventSourceContext<QuantaCluster> context) {
        return new InformerEventSource<>(
                InformerEventSourceConfiguration.from(type, QuantaCluster.class)
                        .withLabelSelector(ClusterRef.MANAGED)
                        .withSecondaryToPrimaryMapper(QuantaClusterReconciler::cluster)
                        .build(),
                context);
    }

    /** The cluster that an object belongs to, by its label. */
    static Set<ResourceID> cluster(HasMetadata object) {
        var meta = object.getMetadata();
        return Optional.ofNullable(meta.getLabels())
                .map(labels -> labels.get(ClusterRef.CLUSTER_LABEL))
                .map(name -> Set.of(new ResourceID(name, meta.getNamespace())))
                .orElse(Set.of());
    }

    @Override
    public UpdateControl<QuantaCluster> reconcile(QuantaCluster cluster, Context<QuantaCluster> context) {
        if (cluster.isMarkedForDeletion()) {
            return UpdateControl.noUpdate();
        }
        QuantaClusterStatus before = Optional.ofNullable(cluster.getStatus()).orElse(QuantaClusterStatus.none());
        QuantaClusterStatus after = pass.once(
                cluster,
                before,
                type -> context.getSecondaryResourcesAsStream(type).toList());
        Duration next = next(before, after);
        if (!after.equals(before)) {
            // Into the watch's memory too: a pass right after this one would tell the same changes again.
            PrimaryUpdateAndCacheUtils.ssaPatchStatusAndCacheResource(cluster, withStatus(cluster, after), context);
        }
        return UpdateControl.<QuantaCluster>noUpdate().rescheduleAfter(next);
    }

    /** At once while the permission waits to be given; quickly while writes are not served. */
    private Duration next(QuantaClusterStatus before, QuantaClusterStatus after) {
        if (before.permission() == null && after.permission() != null) {
            return Duration.ofMillis(1);
        }
        boolean calm = after.condition("Available").filter(c -> c.holds()).isPresent()
                && after.condition("Ready").filter(c -> c.holds()).isPresent();
        return calm ? settings.period() : settings.eagerPeriod();
    }

    /** Only what is applied: names and the status. */
    private static QuantaCluster withStatus(QuantaCluster cluster, QuantaClusterStatus status) {
        var patch = new QuantaCluster();
        var meta = patch.getMetadata();
        meta.setName(cluster.getMetadata().getName());
        meta.setNamespace(cluster.getMetadata().getNamespace());
        patch.setStatus(status);
        return patch;
    }
}
