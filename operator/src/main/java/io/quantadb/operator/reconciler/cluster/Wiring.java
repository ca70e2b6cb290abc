package io.quantadb.operator.reconciler.cluster;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.quantadb.operator.config.OperatorSettings;
import io.quantadb.operator.nodeapi.HttpNodeApis;
import io.quantadb.operator.observer.ClusterObserver;
import io.quantadb.operator.pki.CertificateIssuer;
import io.quantadb.operator.resource.Fabric8KubernetesApi;
import io.quantadb.operator.resource.Settled;
import io.quantadb.operator.resource.StepRunner;
import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.security.SecureRandom;
import java.time.InstantSource;

/** Puts the parts of a reconcile together: the only place where a clock and randomness come from. */
@Dependent
final class Wiring {
    @Produces
    @Singleton
    ClusterPass pass(KubernetesClient client, OperatorSettings settings) {
        InstantSource clock = InstantSource.system();
        var random = new SecureRandom();
        var issuer = new CertificateIssuer(random, clock);
        var kubernetes = new Fabric8KubernetesApi(client);
        var apis = new HttpNodeApis(issuer, clock, settings.nodeDeadline(), settings.foundingDeadline());
        return new ClusterPass(
                kubernetes,
                new ClusterObserver(apis),
                new StepRunner(kubernetes, issuer, random, new Settled(clock)),
                clock,
                settings.nodeRepository(),
                settings.version());
    }
}
