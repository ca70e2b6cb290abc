package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * The answer to one of Kubernetes' three questions: status 200 when {@code good}, 503 otherwise.
 *
 * @param status one word or two for people and scripts
 * @param role this node's part ({@link ClusterView.Role}); empty where the question does not ask for it
 * @param reason why not, or what is waited for; empty when there is nothing to say
 */
public record Probe(boolean good, String status, String role, String reason) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeStringField("status", status);
        if (!role.isEmpty()) {
            json.writeStringField("role", role);
        }
        json.writeStringField("reason", reason);
    }
}
