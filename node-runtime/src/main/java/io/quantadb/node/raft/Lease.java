package io.quantadb.node.raft;

/**
 * How long a leader may act alone (thesis §6.4.1). A majority's answers to requests sent no earlier than t mean that
 * no other leader is elected before t plus the minimum election timeout, except by a transfer; the lease ends earlier
 * than that by the margin for drift. A leader that won by a transfer has none of its own until the one before it has
 * surely run out, since the request for its election may have been an old one.
 */
final class Lease {
    private final long usableFrom;
    private long until;
    /** As far as it ever went: others may act on it though it was given back. */
    private long furthest;

    private boolean suspended;

    /** @param usableFrom when the lease of any leader before has surely run out */
    Lease(long electedAt, long usableFrom) {
        this.usableFrom = usableFrom;
        this.until = electedAt;
        this.furthest = electedAt;
    }

    /** A majority elects no other leader before this; whether that made the lease longer. */
    boolean renew(long end, long now) {
        if (suspended || now - usableFrom < 0 || end - until <= 0) {
            return false;
        }
        until = end;
        furthest = end - furthest > 0 ? end : furthest;
        return true;
    }

    void giveBack(long now) {
        suspended = true;
        until = until - now > 0 ? now : until;
    }

    void resume() {
        suspended = false;
    }

    long until() {
        return until;
    }

    long furthest() {
        return furthest;
    }
}
