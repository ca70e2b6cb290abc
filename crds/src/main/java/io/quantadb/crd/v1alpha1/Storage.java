package io.quantadb.crd.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.kubernetes.api.model.Quantity;
import org.jspecify.annotations.Nullable;

/**
 * Each node's volume. Volumes outlive pods and the cluster resource.
 *
 * @param size how large
 * @param storageClassName of which class; null means the default class
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Storage(
        @Required @JsonPropertyDescription("Size of each node's volume, as 10Gi")
        Quantity size,

        @JsonPropertyDescription("Storage class of the volumes. Default: the default class of this Kubernetes")
        @Nullable
        String storageClassName) {}
