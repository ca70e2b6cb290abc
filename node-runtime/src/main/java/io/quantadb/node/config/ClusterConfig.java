package io.quantadb.node.config;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PlaceBounds;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * This node's place in its cluster.
 *
 * @param nodeId names the node for ever
 * @param mode how it starts for the first time
 * @param dataDir absolute folder of the cluster metadata: Raft log, vote, promises, identity
 * @param peers replication addresses of the other members; forming a cluster needs an answer from each
 * @param priority who is preferred as primary among equals; higher is preferred, 0 is never
 * @param kind what it joins as; only a data node may found a cluster
 * @param joinTimeout how long a node that belongs to no cluster yet waits while no member answers, before it ends
 * @param region which nodes it is near to; empty when it does not matter
 * @param zone where in its region the node stands, for placement; empty when it does not matter
 * @param upstream from whom a read replica that joins is to stream; null for the primary
 */
public record ClusterConfig(
        NodeId nodeId,
        NodeMode mode,
        Path dataDir,
        List<HostPort> peers,
        int priority,
        NodeKind kind,
        Duration joinTimeout,
        String region,
        String zone,
        @Nullable NodeId upstream,
        ReplicationConfig replication,
        RaftConfig raft,
        FailoverConfig failover) {
    public ClusterConfig {
        peers = List.copyOf(peers);
        Bounds.requireBetween("cluster.priority", priority, 0, PlaceBounds.PRIORITY_MAX);
        Bounds.requireBetween("cluster.join_timeout", joinTimeout, Duration.ofSeconds(1), Duration.ofDays(1));
        if (zone.length() > PlaceBounds.PART_MAX) {
            throw new IllegalArgumentException(
                    "cluster.zone=%s must be at most %d characters".formatted(zone, PlaceBounds.PART_MAX));
        }
        if (region.length() > PlaceBounds.PART_MAX || region.contains("/")) {
            throw new IllegalArgumentException("cluster.region=%s must be at most %d characters and without a slash"
                    .formatted(region, PlaceBounds.PART_MAX));
        }
        if (zone.contains("/")) {
            throw new IllegalArgumentException(
                    "cluster.zone=%s must be without a slash: write the region into cluster.region".formatted(zone));
        }
        if (upstream != null && kind != NodeKind.READ_REPLICA) {
            throw new IllegalArgumentException(
                    "cluster.upstream=%s needs cluster.kind=read_replica: one of kind %s streams from the primary, since commits may wait for it"
                            .formatted(upstream, kind.name().toLowerCase(java.util.Locale.ROOT)));
        }
        if (nodeId.equals(upstream)) {
            throw new IllegalArgumentException(
                    "cluster.upstream=%s is this node itself: name another member, or none".formatted(upstream));
        }
        if (peers.size() > 16) {
            throw new IllegalArgumentException(
                    "cluster.peers lists %d addresses and must list at most 16".formatted(peers.size()));
        }
        if (kind != NodeKind.DATA && mode != NodeMode.REPLICA && mode != NodeMode.AUTO) {
            throw new IllegalArgumentException(
                    "cluster.kind=%s needs a cluster to join: set cluster.mode to replica (or auto) and name a member"
                            .formatted(kind.name().toLowerCase(java.util.Locale.ROOT)));
        }
        if (mode == NodeMode.AUTO && peers.isEmpty() && replication.primaryAddress() == null) {
            throw new IllegalArgumentException(
                    "cluster.peers is missing: with cluster.mode=auto a node asks those it lists; list every node of the"
                            + " cluster, this one included (for example node1:6432,node2:6432,node3:6432)");
        }
        if (mode == NodeMode.REPLICA && replication.primaryAddress() == null && peers.isEmpty()) {
            throw new IllegalArgumentException(
                    "cluster.replication.primary_address is missing: a replica joins through a member's replication"
                            + " address; give --primary host:port (for example --primary localhost:6432)");
        }
    }

    /** Both in one, as the cluster keeps it: {@code region/zone}, or the zone alone where there is no region. */
    public String place() {
        return region.isEmpty() ? zone : region + "/" + zone;
    }
}
