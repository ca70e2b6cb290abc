package io.quantadb.operator.resource;

import static io.quantadb.operator.testing.Clusters.ORDERS;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.quantadb.operator.model.ClusterRef;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OwnershipTest {
    private static Service service(Map<String, String> labels) {
        return new ServiceBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName("orders-rw")
                .withLabels(labels)
                .endMetadata()
                .build();
    }

    private static final Service WANTED = service(ORDERS.labels());

    @Test
    void anObjectThatIsNotThereOrIsThisClustersIsApplied() {
        assertThatCode(() -> {
                    Fabric8KubernetesApi.requireOurs(WANTED, null);
                    Fabric8KubernetesApi.requireOurs(WANTED, WANTED);
                })
                .doesNotThrowAnyException();
    }

    @Test
    void anObjectWithoutOurLabelsIsSomebodyElses() {
        assertThatThrownBy(() -> Fabric8KubernetesApi.requireOurs(WANTED, service(Map.of("app", "shop"))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("Service 'orders-rw' exists in namespace 'shop' and is not this cluster's");
    }

    @Test
    void anObjectOfAnotherClusterIsNotTakenOver() {
        var other = new ClusterRef("shop", "orders-rw", "another");
        assertThatThrownBy(() -> Fabric8KubernetesApi.requireOurs(WANTED, service(other.labels())))
                .isInstanceOf(IllegalStateException.class);
    }
}
