package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Tuning;
import java.io.IOException;

/**
 * {@code GET /cluster/settings}: when the cluster fails over by itself, and how quickly. The last four may be changed by
 * a POST of the same names. An empty object while the node knows none.
 */
record SettingsBody(ClusterView view) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        Settings settings = view.settings();
        if (settings == null) {
            return;
        }
        Tuning tuning = settings.tuning();
        json.writeNumberField("heartbeat_interval_ms", settings.heartbeatMillis());
        json.writeNumberField("election_timeout_ms", settings.electionTimeoutMinMillis());
        json.writeNumberField("election_timeout_max_ms", settings.electionTimeoutMaxMillis());
        json.writeNumberField("election_timeout_formed_ms", tuning.electionBaseMinMillis());
        json.writeNumberField("lease_ms", settings.leaseMillis());
        json.writeNumberField("election_timeout_limit_ms", tuning.electionLimitMillis());
        json.writeNumberField("move_delay_ms", tuning.moveDelayMillis());
        json.writeBooleanField("failover_across_regions", tuning.acrossRegions());
        json.writeNumberField("slow_standby_after_ms", tuning.slowAfterMillis());
    }
}
