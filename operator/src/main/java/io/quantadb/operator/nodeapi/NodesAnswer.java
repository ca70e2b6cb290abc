package io.quantadb.operator.nodeapi;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/** {@code GET /cluster/nodes}, as far as it is needed. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record NodesAnswer(List<Member> nodes) {
    public NodesAnswer {
        nodes = List.copyOf(nodes);
    }

    /** One member as the answering node knows it. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Member(
            String id,
            String role,
            String state,
            String health,
            @JsonProperty("is_voter") boolean voter) {}
}
