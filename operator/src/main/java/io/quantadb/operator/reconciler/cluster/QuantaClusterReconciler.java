package io.quantadb.operator.reconciler.cluster;

import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.operator.config.OperatorSettings;

/** Brings a {@code QuantaCluster} closer to its spec. */
@ControllerConfiguration(name = "quantacluster")
public final class QuantaClusterReconciler implements Reconciler<QuantaCluster> {
    private final OperatorSettings settings;

    public QuantaClusterReconciler(OperatorSettings settings) {
        this.settings = settings;
    }

    @Override
    public UpdateControl<QuantaCluster> reconcile(QuantaCluster cluster, Context<QuantaCluster> context) {
        return UpdateControl.<QuantaCluster>noUpdate().rescheduleAfter(settings.period());
    }
}
