package io.quantadb.node.config;

/** How a node starts for the first time; once its disk belongs to a cluster, the cluster decides and this is ignored. */
public enum NodeMode {
    /** A single node without a cluster. */
    NONE,
    /** One-time permission to form a new cluster on an empty disk. */
    PRIMARY,
    /** Join the cluster that is reached at {@code primary_address} or a peer. */
    REPLICA,
    /** Join through any peer; found a cluster only when a one-time permission comes through the API. */
    AUTO
}
