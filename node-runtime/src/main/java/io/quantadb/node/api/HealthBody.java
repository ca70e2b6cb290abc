package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * {@code GET /cluster/health}: {@code healthy} (writes are served, every member of which this node knows is well),
 * {@code degraded} (writes are served, a member is not well), {@code unhealthy} (they are not, as far as this node can
 * tell; status 503). The leader knows of all.
 */
record HealthBody(ClusterView view) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        boolean served = view.clusterHealthy();
        json.writeStringField("status", view.complete() ? "healthy" : served ? "degraded" : "unhealthy");
        json.writeBooleanField("is_healthy", served);
        Json.object(json, "node", node -> {
            node.writeStringField("id", view.node().value());
            node.writeStringField("role", view.role().name());
            node.writeStringField("state", view.state().name());
            node.writeBooleanField("is_healthy", view.healthy());
            node.writeStringField("reason", view.reason());
        });
        Json.object(json, "cluster", cluster -> {
            cluster.writeBooleanField("is_healthy", served);
            cluster.writeStringField("leader", Json.name(view.raft().leader()));
            cluster.writeStringField("primary", Json.name(view.primary()));
            cluster.writeNumberField("member_count", view.members().size());
            cluster.writeNumberField("healthy_member_count", view.healthyMembers());
        });
    }
}
