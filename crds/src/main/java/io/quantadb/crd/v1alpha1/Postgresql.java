package io.quantadb.crd.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.Map;

/**
 * Settings of the PostgreSQL servers.
 *
 * @param parameters as in postgresql.conf; those that belong to the cluster are refused
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Postgresql(
        @JsonPropertyDescription(
                "Settings as in postgresql.conf, as work_mem: 8MB. Those that belong to the cluster are refused")
        Map<String, String> parameters) {

    static final Postgresql DEFAULT = new Postgresql(Map.of());

    public Postgresql {
        parameters = Map.copyOf(Defaults.or(parameters, Map.of()));
    }
}
