package io.quantadb.node.raft;

/**
 * How long a leader may act alone (thesis §6.4.1). A majority's answers to requests sent no earlier than t mean that
 * no other leader is elected before t plus the minimum election timeout, except by a transfer; the lease ends earlier
 * than that by the margin for drift. A leader that won by a transfer has none of its own until the one before it has
 * surely run out, since the request for its election may have been an old one.
 */
final class Lease {
    private final long durationNanos;
    private final long usableFrom;
    private long until;
    private boolean suspended;

    Lease(RaftConfig config, boolean byTransfer, long electedAt) {
        this.durationNanos = config.leaseNanos();
        this.usableFrom = byTransfer ? electedAt + config.electionMinNanos() : electedAt;
        this.until = electedAt;
    }

    /** A majority has answered requests sent no earlier than this; whether that made the lease longer. */
    boolean renew(long quorumSent, long now) {
        long end = quorumSent + durationNanos;
        if (suspended || now - usableFrom < 0 || end - until <= 0) {
            return false;
        }
        until = end;
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
}
