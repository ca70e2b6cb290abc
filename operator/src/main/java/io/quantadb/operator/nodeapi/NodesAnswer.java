package io.quantadb.operator.nodeapi;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Objects;

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
            @JsonProperty("is_voter") boolean voter) {
        public Member {
            Objects.requireNonNull(id, "id");
            Objects.requireNonNull(role, "role");
            Objects.requireNonNull(state, "state");
            Objects.requireNonNull(health, "health");
        }
    }
}
