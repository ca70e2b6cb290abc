package io.quantadb.node.config;

import java.util.HashMap;
import java.util.Map;

/**
 * The TCP ports of one node, each settable on its own; without a setting they follow the SQL port.
 *
 * @param sql clients of this node
 * @param replication streams between agents, SQL port + 1000
 * @param raft control messages between agents, SQL port + 2000
 * @param api HTTP, SQL port + 3000
 * @param primary clients that want the current primary, SQL port + 4000
 */
public record Ports(int sql, int replication, int raft, int api, int primary) {
    public static final int REPLICATION_OFFSET = 1000;
    public static final int RAFT_OFFSET = 2000;
    public static final int API_OFFSET = 3000;
    public static final int PRIMARY_OFFSET = 4000;

    public Ports {
        Bounds.requireBetween("port", sql, 1, 65535);
        Bounds.requireBetween("replication_port", replication, 1, 65535);
        Bounds.requireBetween("raft_port", raft, 1, 65535);
        Bounds.requireBetween("api_port", api, 1, 65535);
        Bounds.requireBetween("primary_port", primary, 1, 65535);
        Map<Integer, String> taken = new HashMap<>();
        String[] keys = {"port", "replication_port", "raft_port", "api_port", "primary_port"};
        int[] values = {sql, replication, raft, api, primary};
        for (int i = 0; i < keys.length; i++) {
            String earlier = taken.putIfAbsent(values[i], keys[i]);
            if (earlier != null) {
                throw new IllegalArgumentException(
                        "%s=%d must differ from %s=%d".formatted(keys[i], values[i], earlier, values[i]));
            }
        }
    }

    /** All ports derived from the SQL port, which must be at most 61535 for that. */
    public static Ports from(int sql) {
        return new Ports(sql, sql + REPLICATION_OFFSET, sql + RAFT_OFFSET, sql + API_OFFSET, sql + PRIMARY_OFFSET);
    }
}
