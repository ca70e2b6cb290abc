package io.quantadb.node.cluster;

/** How far an operator keeps a member away from clients. Values are only ever added at the end. */
public enum Fence {
    /** It is not fenced. */
    NONE,
    /**
     * Serves no SQL and is never promoted. Its server is stopped as soon as it stands in no rule; where the others cannot
     * do without it, it goes on as a standby that no client reaches.
     */
    SHUT,
    /** The same, and its server is stopped whoever waits for it. */
    STOPPED;

    public boolean fenced() {
        return this != NONE;
    }
}
