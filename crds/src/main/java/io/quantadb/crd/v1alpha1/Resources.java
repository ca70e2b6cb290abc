package io.quantadb.crd.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.Map;

/**
 * What each node, agent and server together, asks of its machine.
 *
 * @param requests what it is promised
 * @param limits what it may not exceed
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Resources(
        @JsonPropertyDescription("What each node is promised, as cpu: 500m, memory: 1Gi")
        Map<String, Quantity> requests,

        @JsonPropertyDescription("What each node may not exceed")
        Map<String, Quantity> limits) {

    static final Resources DEFAULT = new Resources(Map.of(), Map.of());

    public Resources {
        requests = Map.copyOf(Defaults.or(requests, Map.of()));
        limits = Map.copyOf(Defaults.or(limits, Map.of()));
    }
}
