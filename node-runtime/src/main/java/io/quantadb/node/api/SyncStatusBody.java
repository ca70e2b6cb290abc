package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Optional;

/**
 * {@code GET /_raft/sync-status}: how far the leader knows every other member to be. {@code lag} counts entries of the
 * Raft log; {@code health}, {@code lag_bytes} and {@code lag_seconds} are about WAL. Numbers that are not known are -1.
 * {@code note} has in words what is worth knowing, such as whom a member waits for; it is mostly empty. A node that does
 * not lead has no {@code followers} and says where the leader's API is (status 421), or that none is known (503).
 */
record SyncStatusBody(ClusterView view) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeStringField("node_id", view.node().value());
        json.writeBooleanField("is_leader", view.leads());
        json.writeNumberField("commit_index", view.raft().commitIndex());
        json.writeArrayFieldStart("followers");
        for (ClusterView.Member m : view.followers()) {
            json.writeStartObject();
            follower(json, m, view.raft().follower(m.id()));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeStringField("leader", Json.name(view.raft().leader()));
        json.writeStringField("leader_address", Json.name(view.leaderApi().orElse(null)));
        if (!view.leads()) {
            boolean known = view.raft().leader() != null;
            json.writeStringField("error", known ? "this node does not lead" : "no leader is known");
            json.writeStringField("hint", known ? "ask the node at leader_address" : "ask again in a second");
        }
    }

    private static void follower(JsonGenerator json, ClusterView.Member m, Optional<ClusterView.Follower> raft)
            throws IOException {
        json.writeStringField("address", m.addresses().api().toString());
        json.writeStringField("health", Json.lower(m.health()));
        json.writeNumberField(
                "last_replicated_index", raft.map(ClusterView.Follower::match).orElse(-1L));
        json.writeNumberField("lag", raft.map(ClusterView.Follower::lag).orElse(-1L));
        json.writeNumberField(
                "last_latency_ms",
                raft.map(f -> Math.round(f.latencyMs() * 10) / 10.0).orElse(-1.0));
        json.writeNumberField(
                "consecutive_failures", raft.map(ClusterView.Follower::failures).orElse(-1));
        json.writeStringField("node_id", m.id().value());
        json.writeStringField("state", m.state().name());
        json.writeStringField("note", m.note());
        json.writeStringField("upstream", Json.name(m.upstream()));
        Json.lsn(json, m.lastLsn());
        json.writeNumberField("lag_bytes", m.lagBytes());
        json.writeNumberField("lag_seconds", m.lagMs() < 0 ? -1 : m.lagMs() / 1000.0);
    }
}
