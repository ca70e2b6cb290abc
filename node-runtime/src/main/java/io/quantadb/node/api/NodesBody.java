package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.Settings;
import java.io.IOException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /cluster/nodes}: every member as the asked node knows it. {@code lag_bytes}, {@code lag_seconds} and
 * {@code last_heard_ms} are -1 when unknown, and so are those of the WAL stream from the asked node; {@code lag_seconds}
 * has milliseconds behind its point. {@code upstream} is the member from which WAL is streamed, empty when it is unknown or
 * none is; {@code upstream_wanted} the one from which an operator wants it, empty for the primary. {@code priority} and
 * {@code zone} are what holds; {@code own_priority} and {@code own_zone} what the node's own configuration says.
 */
record NodesBody(ClusterView view) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeStringField("answered_by", view.node().value());
        json.writeStringField("leader", Json.name(view.raft().leader()));
        json.writeNumberField("term", view.raft().term());
        json.writeStringField("primary", Json.name(view.primary()));
        json.writeNumberField("epoch", view.epoch());
        json.writeNumberField("timeline", view.timeline());
        json.writeStringField("rule", view.rule());
        Settings settings = view.settings();
        json.writeStringField("mode", settings == null ? "" : Json.lower(settings.mode()));
        json.writeStringField("policy", settings == null ? "" : Json.lower(settings.policy()));
        json.writeNumberField("shrink_after_ms", settings == null ? -1 : settings.shrinkAfterMillis());
        json.writeStringField("minority_reads", settings == null ? "" : Json.lower(settings.minorityReads()));
        json.writeBooleanField("maintenance", settings != null && settings.pausedAt(view.wallMillis()));
        json.writeStringField("maintenance_until", until(settings));
        json.writeBooleanField("failover_in_progress", view.failoverInProgress());
        json.writeStringField("held_back", view.heldBack());
        json.writeArrayFieldStart("nodes");
        for (ClusterView.Member member : view.members()) {
            json.writeStartObject();
            member(json, member);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /** Empty when it is over, never was, or ends only by an operator's word. */
    private String until(@Nullable Settings settings) {
        if (settings == null
                || !settings.pausedAt(view.wallMillis())
                || settings.pausedUntilMillis() == Settings.UNTIL_ENDED) {
            return "";
        }
        return Instant.ofEpochMilli(settings.pausedUntilMillis()).toString();
    }

    private void member(JsonGenerator json, ClusterView.Member member) throws IOException {
        json.writeStringField("id", member.id().value());
        json.writeStringField("kind", member.kind().name());
        json.writeStringField("role", member.role().name());
        json.writeStringField("state", member.state().name());
        json.writeStringField("health", Json.lower(member.health()));
        json.writeBooleanField("is_leader", member.id().equals(view.raft().leader()));
        json.writeBooleanField("is_voter", member.voter());
        json.writeBooleanField("acknowledges", member.acknowledges());
        json.writeBooleanField("leaving", member.leaving());
        json.writeBooleanField("maintenance", member.maintenance());
        json.writeBooleanField("fenced", member.fenced());
        json.writeNumberField("generation", member.generation());
        json.writeNumberField("epoch", member.epoch());
        json.writeNumberField("timeline", member.timeline());
        Json.lsn(json, member.lastLsn());
        json.writeNumberField("lag_bytes", member.lagBytes());
        json.writeNumberField("lag_seconds", member.lagMs() < 0 ? -1 : member.lagMs() / 1000.0);
        json.writeNumberField("last_heard_ms", member.lastHeardMs());
        json.writeNumberField("round_trip_ms", member.stream().roundTripMs());
        json.writeNumberField("bytes_per_second", member.stream().bytesPerSecond());
        json.writeNumberField("stream_errors", member.stream().errors());
        json.writeStringField("upstream", Json.name(member.upstream()));
        json.writeStringField("upstream_wanted", Json.name(member.wishedUpstream()));
        json.writeStringField("note", member.note());
        json.writeNumberField("priority", member.priority());
        json.writeStringField("zone", member.zone());
        json.writeBooleanField("priority_set", member.own().prioritySet());
        json.writeNumberField("own_priority", member.own().priority());
        json.writeBooleanField("zone_set", member.own().zoneSet());
        json.writeStringField("own_zone", member.own().zone());
        Addresses at = member.addresses();
        json.writeStringField("sql_address", at.sql().toString());
        json.writeStringField("replication_address", at.replication().toString());
        json.writeStringField("raft_address", at.raft().toString());
        json.writeStringField("api_address", at.api().toString());
        json.writeStringField("primary_sql_address", at.primarySql().toString());
    }
}
