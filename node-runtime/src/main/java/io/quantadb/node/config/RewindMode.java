package io.quantadb.node.config;

/** How a node comes back whose WAL left the primary's. */
public enum RewindMode {
    /** By pg_rewind where it lies beside the PostgreSQL in use, else by a clone. */
    AUTO,
    /** By a clone. */
    OFF
}
