package io.quantadb.crd.common;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;

/**
 * One thing that is so, is not so, or is not known, in the shape of Kubernetes' {@code metav1.Condition}, so that
 * {@code kubectl wait --for=condition=…} and every dashboard understand it.
 *
 * @param type what it is about, CamelCase
 * @param status {@code True}, {@code False} or {@code Unknown}
 * @param observedGeneration the generation of the spec that this was judged by
 * @param lastTransitionTime when {@code status} last changed, RFC 3339
 * @param reason one CamelCase word for machines
 * @param message a sentence for people
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Condition(
        @Required @JsonPropertyDescription("What the condition is about")
        String type,

        @Required @Pattern("^(True|False|Unknown)$") @JsonPropertyDescription("True, False or Unknown")
        String status,

        @JsonPropertyDescription("The generation of the spec that this was judged by")
        long observedGeneration,

        @Required @JsonPropertyDescription("When the status last changed")
        String lastTransitionTime,

        @Required @JsonPropertyDescription("One CamelCase word for machines")
        String reason,

        @JsonPropertyDescription("A sentence for people") String message) {

    /** Whether the condition is {@code True}. */
    public boolean holds() {
        return "True".equals(status);
    }
}
