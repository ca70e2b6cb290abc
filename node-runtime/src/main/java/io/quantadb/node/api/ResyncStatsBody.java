package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * {@code GET /_raft/resync_stats}: the base backups that members drew from this node since its agent started. It is the
 * primary that gives them; a node that never was one tells zeros.
 */
record ResyncStatsBody(ClusterView view) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        ClusterView.Resyncs given = view.resyncs();
        json.writeStringField("node_id", view.node().value());
        json.writeBooleanField("is_leader", view.leads());
        Json.object(json, "resync_stats", stats -> {
            stats.writeNumberField("snapshots_created", given.created());
            stats.writeNumberField("send_attempts", given.attempts());
            stats.writeNumberField("send_successes", given.successes());
            stats.writeNumberField("send_failures", given.failures());
        });
    }
}
