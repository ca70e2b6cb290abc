package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * {@code GET /cluster/status}: this node, its place in Raft, its replication, failover state, and the cluster. The first
 * fields of each object, with their types, are a promise; what follows them is ours. {@code last_failover} is
 * {@code 0001-01-01T00:00:00Z} before the first failover.
 */
record StatusBody(ClusterView view) implements Json.Body {
    static final String NEVER = "0001-01-01T00:00:00Z";

    @Override
    public void write(JsonGenerator json) throws IOException {
        Json.object(json, "node", this::node);
        Json.object(json, "raft", this::raft);
        Json.object(json, "replication", this::replication);
        Json.object(json, "failover", this::failover);
        Json.object(json, "cluster", this::cluster);
    }

    private void node(JsonGenerator json) throws IOException {
        json.writeStringField("id", view.node().value());
        json.writeStringField("raft_address", view.addresses().raft().toString());
        json.writeNumberField("replication_port", view.addresses().replication().port());
        json.writeStringField("role", view.role().name());
        json.writeStringField("start_time", time(view.startTime()));
        json.writeNumberField("uptime_seconds", view.uptimeSeconds());
        json.writeStringField("sql_address", view.addresses().sql().toString());
        json.writeStringField(
                "primary_sql_address", view.addresses().primarySql().toString());
        json.writeStringField("api_address", view.addresses().api().toString());
        json.writeBooleanField("serving", view.serving());
        json.writeBooleanField("lease", view.lease());
    }

    private void raft(JsonGenerator json) throws IOException {
        json.writeNumberField("term", view.raft().term());
        json.writeStringField("state", view.raft().state().name());
        json.writeStringField("leader", Json.name(view.raft().leader()));
        json.writeNumberField("commit_index", view.raft().commitIndex());
        json.writeNumberField("last_applied", view.raft().lastApplied());
    }

    private void replication(JsonGenerator json) throws IOException {
        json.writeStringField("mode", view.role().name());
        json.writeStringField("node_id", view.node().value());
        json.writeStringField("address", view.addresses().replication().toString());
        json.writeStringField("state", view.state().name());
        Json.lsn(json, view.lastLsn());
        json.writeNumberField("replica_count", view.replicaCount());
        json.writeNumberField("timeline", view.timeline());
        json.writeStringField("rule", view.rule());
        json.writeStringField("reads", Json.lower(view.server().reads()));
        json.writeNumberField("server_pid", view.server().pid());
        json.writeArrayFieldStart("pending_restart");
        for (String setting : view.server().pendingRestart()) {
            json.writeString(setting);
        }
        json.writeEndArray();
    }

    private void failover(JsonGenerator json) throws IOException {
        Instant last = view.lastFailover();
        json.writeStringField("current_role", view.role().name());
        json.writeBooleanField("is_healthy", view.healthy());
        json.writeStringField("last_failover", last == null ? NEVER : time(last));
        json.writeBooleanField("failover_in_progress", view.failoverInProgress());
        json.writeNumberField("epoch", view.epoch());
        json.writeStringField("reason", view.reason());
        json.writeStringField("held_back", view.heldBack());
    }

    private void cluster(JsonGenerator json) throws IOException {
        json.writeBooleanField("is_healthy", view.clusterHealthy());
        json.writeStringField("primary", Json.name(view.primary()));
        json.writeNumberField("member_count", view.members().size());
        json.writeNumberField("healthy_member_count", view.healthyMembers());
        json.writeStringField("membership", view.membership().name());
        json.writeStringField("id", view.clusterId());
    }

    private static String time(Instant instant) {
        return instant.truncatedTo(ChronoUnit.MILLIS).toString();
    }
}
