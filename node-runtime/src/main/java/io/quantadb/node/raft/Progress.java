package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;

/** What a leader knows about one member. */
final class Progress {
    final PeerId peer;
    long match;
    /** When an answer last raised {@code match}: requests sent later are answered with at least that. */
    long matchLearnedAt;

    long next;
    int inflight;
    boolean probing = true;
    boolean snapshotSent;
    long lastHeard;
    long lastSent;
    /** The newest request that this member answered, by the leader's clock at its send; valid once it answered. */
    long leaseFrom;

    /** It votes for no other before then, by this leader's clock and with the margin for drift; valid once it answered. */
    long waitsUntil;

    boolean answered;
    long rtt = -1;
    int failures;
    boolean regressed;

    Progress(PeerId peer, long next, long now) {
        this.peer = peer;
        this.next = next;
        this.lastHeard = now;
        this.lastSent = now;
        this.matchLearnedAt = now;
    }

    /** @param lentNanos for how long from its start this answer carries a lease */
    void answered(long sentNanos, long leaseStart, long lentNanos, long now) {
        long end = leaseStart + lentNanos;
        waitsUntil = !answered || end - waitsUntil > 0 ? end : waitsUntil;
        lastHeard = now;
        failures = 0;
        rtt = now - sentNanos;
        if (!answered || leaseStart - leaseFrom > 0) {
            leaseFrom = leaseStart;
            answered = true;
        }
    }

    void matched(long index, long now) {
        if (index > match) {
            match = index;
            matchLearnedAt = now;
        }
        next = Math.max(next, match + 1);
    }

    void restartFrom(long index) {
        next = Math.max(match + 1, index);
        inflight = 0;
        probing = true;
        snapshotSent = false;
    }

    FollowerProgress view(boolean voter) {
        return new FollowerProgress(peer, voter, match, next, lastHeard, rtt, failures, regressed);
    }
}
