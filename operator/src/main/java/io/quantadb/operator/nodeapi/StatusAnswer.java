package io.quantadb.operator.nodeapi;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;

/**
 * {@code GET /cluster/status}, as far as it is needed. An answer that lacks a text of these cannot be read: silence is
 * safer than a guess.
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record StatusAnswer(Node node, Failover failover, Cluster cluster) {
    public StatusAnswer {
        Objects.requireNonNull(node, "node");
        Objects.requireNonNull(failover, "failover");
        Objects.requireNonNull(cluster, "cluster");
    }

    /**
     * The node itself.
     *
     * @param serving its front forwards to its PostgreSQL as primary at this moment
     * @param lease it may serve as primary at this moment
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Node(String id, String role, boolean serving, boolean lease) {
        public Node {
            Objects.requireNonNull(id, "node.id");
            Objects.requireNonNull(role, "node.role");
        }
    }

    /** Where the cluster's history stands. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Failover(long epoch, String reason) {
        public Failover {
            Objects.requireNonNull(reason, "failover.reason");
        }
    }

    /**
     * The cluster as this node knows it; no members before it is in one.
     *
     * @param membership whether the node's disk belongs to a cluster: {@code NONE}, {@code STARTING} or {@code MEMBER};
     *     empty from an older node, which tells it in no field
     * @param id of the cluster that the disk belongs to; empty for none, and from an older node
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Cluster(
            String primary, @JsonProperty("member_count") int memberCount, String membership, String id) {
        public Cluster {
            Objects.requireNonNull(primary, "cluster.primary");
            membership = Objects.requireNonNullElse(membership, "");
            id = Objects.requireNonNullElse(id, "");
        }
    }
}
