package io.quantadb.operator.e2e;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The operator's pod, as something that can be taken away and comes back. */
final class Operator {
    private static final String NAMESPACE = "quantadb-system";
    private static final String NAME = "quantadb-operator";
    private static final Duration WITHIN = Duration.ofMinutes(2);

    private final KubernetesClient client;

    Operator(KubernetesClient client) {
        this.client = client;
    }

    private List<Pod> pods() {
        return client.pods()
                .inNamespace(NAMESPACE)
                .withLabel("app.kubernetes.io/name", NAME)
                .list()
                .getItems();
    }

    private Set<String> ready() {
        return pods().stream()
                .filter(Readiness::isPodReady)
                .map(p -> p.getMetadata().getUid())
                .collect(Collectors.toSet());
    }

    void scale(int replicas) {
        client.apps().deployments().inNamespace(NAMESPACE).withName(NAME).scale(replicas);
        await("operator pods: " + replicas)
                .atMost(WITHIN)
                .until(() -> pods().size() == replicas && ready().size() == replicas);
    }

    /** Kills the pod that runs, waiting for one to run where none does, without a goodbye; waits for no other. */
    void kill() {
        await("a running pod of the operator").atMost(WITHIN).until(this::runs);
        pods().forEach(p -> client.resource(p).withGracePeriod(0).delete());
    }

    private boolean runs() {
        return pods().stream().anyMatch(p -> "Running".equals(p.getStatus().getPhase()));
    }

    void awaitReady() {
        await("a ready pod of the operator").atMost(WITHIN).until(() -> !ready().isEmpty());
    }
}
