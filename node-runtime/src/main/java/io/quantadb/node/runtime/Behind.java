package io.quantadb.node.runtime;

import io.quantadb.node.api.ClusterView;

/**
 * How far a member is behind the primary.
 *
 * @param bytes WAL that the primary has and it has not flushed; -1 when this node cannot tell
 * @param millis how old the oldest of that WAL is; -1 when this node cannot tell
 */
record Behind(long bytes, long millis) {
    static final Behind NOTHING = new Behind(0, 0);
    static final Behind UNKNOWN = new Behind(-1, -1);

    /**
     * How well a member that was heard of follows.
     *
     * @param maxBytes {@code max_lag_bytes}
     * @param maxMillis {@code max_lag_time}
     */
    ClusterView.Health health(long maxBytes, long maxMillis) {
        if (bytes < 0) {
            return ClusterView.Health.UNKNOWN;
        }
        return bytes <= maxBytes && millis <= maxMillis ? ClusterView.Health.HEALTHY : ClusterView.Health.LAGGING;
    }
}
