package io.quantadb.node.cluster;

/** What the local PostgreSQL server is doing, as its agent knows it. */
public enum ServerState {
    /** No data directory, or one that is being replaced. */
    EMPTY,
    /** A data directory with no running server. */
    DOWN,
    /** Started or starting in recovery (standby.signal present). */
    STANDBY,
    /** The promote signal is on its way; not out of recovery yet. */
    PROMOTING,
    /** Out of recovery, or started as primary and still in crash recovery; see {@link Event.ServerPrimaryReady}. */
    PRIMARY
}
