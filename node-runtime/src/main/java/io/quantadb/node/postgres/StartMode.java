package io.quantadb.node.postgres;

/** How a server is started. */
public enum StartMode {
    /** In recovery, following the relay's socket, until it is promoted. */
    STANDBY,
    /** Out of recovery after crash recovery, on the timeline that it has; only under a lease. */
    PRIMARY
}
