package io.quantadb.node.relay;

import io.quantadb.node.common.MonotonicClock;
import java.util.concurrent.TimeUnit;

/**
 * Notices a WAL receiver that ends as soon as it streams, again and again, as on a full disk: PostgreSQL starts it anew
 * fifty times a second, and each time costs a stream and lines in two logs. From the fourth time on it is joined to an
 * upstream once a second. Confined to the relay's loop.
 */
final class QuickEnds {
    private static final long QUICK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int AT_ONCE = 3;

    private final MonotonicClock clock;
    private boolean streaming;
    private long sinceNanos;
    private int inARow;
    private long endedNanos;

    QuickEnds(MonotonicClock clock) {
        this.clock = clock;
    }

    /** Another upstream: what happened before says nothing of it. */
    void reset() {
        streaming = false;
        inARow = 0;
    }

    void onStreaming() {
        streaming = true;
        sinceNanos = clock.nanos();
    }

    /** The receiver is gone; one that had not begun to stream does not count. */
    void onReceiverGone() {
        if (streaming) {
            streaming = false;
            endedNanos = clock.nanos();
            inARow = endedNanos - sinceNanos < QUICK_NANOS ? inARow + 1 : 0;
        }
    }

    /** Whether the next one has to wait a while for its upstream. */
    boolean mustWait() {
        return inARow > AT_ONCE && clock.nanos() - endedNanos < QUICK_NANOS;
    }

    /** Whether somebody may have waited. */
    boolean any() {
        return inARow > AT_ONCE;
    }
}
