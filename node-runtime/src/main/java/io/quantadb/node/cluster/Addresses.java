package io.quantadb.node.cluster;

import io.quantadb.node.common.HostPort;
import java.util.List;

/** Where one member is reached; each port can be set on its own. */
public record Addresses(HostPort sql, HostPort replication, HostPort raft, HostPort api, HostPort primarySql) {
    public List<HostPort> all() {
        return List.of(sql, replication, raft, api, primarySql);
    }
}
