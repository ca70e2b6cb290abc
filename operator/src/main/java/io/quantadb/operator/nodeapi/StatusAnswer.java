package io.quantadb.operator.nodeapi;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

/** {@code GET /cluster/status}, as far as it is needed. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record StatusAnswer(Node node, Failover failover, Cluster cluster) {
    /**
     * The node itself.
     *
     * @param serving its front forwards to its PostgreSQL as primary at this moment
     * @param lease it may serve as primary at this moment
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Node(String id, String role, boolean serving, boolean lease) {}

    /** Where the cluster's history stands. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Failover(long epoch, String reason) {}

    /** The cluster as this node knows it; no members before it is in one. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Cluster(
            String primary, @JsonProperty("member_count") int memberCount) {}
}
