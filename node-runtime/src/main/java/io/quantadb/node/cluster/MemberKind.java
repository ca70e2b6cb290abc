package io.quantadb.node.cluster;

/** What a member is for. */
public enum MemberKind {
    /** Holds data, votes, may become primary. */
    DATA,
    /** Votes and may lead, holds no data. */
    WITNESS,
    /** Holds data, never votes, never acknowledges. */
    READ_REPLICA
}
