package io.quantadb.node.config;

/** How many members, besides the primary, must have flushed a commit before it is acknowledged. */
public enum CommitMode {
    /** A majority with the primary, from three data voters up. */
    QUORUM,
    /** Every member of the set. */
    ALL,
    /** None: commits of the last moments may be lost in a failover. */
    ASYNC
}
