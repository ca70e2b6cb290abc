package io.quantadb.node.config;

/** What a node that joins a cluster is for; the founder holds data. Kept by the cluster from then on. */
public enum NodeKind {
    /** Holds data, votes, may become primary. */
    DATA,
    /** Holds data, never votes, never acknowledges, is never primary. */
    READ_REPLICA,
    /** Votes and may lead, holds no data and runs no PostgreSQL. */
    WITNESS
}
