package io.quantadb.crd.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the nodes' image comes from.
 *
 * @param node the whole reference; null means the operator's repository with the cluster's version as tag
 * @param pullPolicy when it is pulled
 * @param pullSecrets names of Secrets with a registry's credentials, in the cluster's namespace
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Images(
        @JsonPropertyDescription(
                "The whole reference of the nodes' image. Default: the operator's repository with the version as tag")
        @Nullable
        String node,

        @Default("IfNotPresent") @JsonPropertyDescription("When the image is pulled")
        PullPolicy pullPolicy,

        @JsonPropertyDescription("Names of Secrets in this namespace with a registry's credentials")
        List<String> pullSecrets) {

    /** Kubernetes' words for when an image is pulled. */
    public enum PullPolicy {
        Always,
        IfNotPresent,
        Never
    }

    static final Images DEFAULT = new Images(null, PullPolicy.IfNotPresent, List.of());

    public Images {
        pullPolicy = Defaults.or(pullPolicy, PullPolicy.IfNotPresent);
        pullSecrets = List.copyOf(Defaults.or(pullSecrets, List.of()));
    }
}
