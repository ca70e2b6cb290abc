package io.quantadb.node.runtime;

import io.quantadb.node.common.MonotonicClock;

/**
 * Until when this node may serve as the primary of which epoch. Written by the core thread, asked by the front and the
 * voice at every result and report, so asking is one volatile read and one look at the clock.
 */
final class ServingLease implements io.quantadb.node.front.LeaseView, io.quantadb.node.relay.LeaseView {
    private record Grant(long epoch, long untilNanos) {}

    private final MonotonicClock clock;
    private volatile Grant grant;

    ServingLease(MonotonicClock clock) {
        this.clock = clock;
        this.grant = new Grant(0, clock.nanos());
    }

    void set(long epoch, long untilNanos) {
        grant = new Grant(epoch, untilNanos);
    }

    void end() {
        grant = new Grant(0, clock.nanos());
    }

    @Override
    public boolean holds(long epoch) {
        return valid(epoch, clock.nanos());
    }

    @Override
    public boolean valid(long epoch, long nowNanos) {
        Grant g = grant;
        return g.epoch() == epoch && epoch > 0 && nowNanos - g.untilNanos() < 0;
    }

    /** Nanoseconds left, negative when it is out. */
    long leftNanos() {
        return grant.untilNanos() - clock.nanos();
    }
}
