package io.quantadb.node.relay;

import io.quantadb.node.common.MonotonicClock;
import java.util.concurrent.TimeUnit;

/**
 * Notices a WAL receiver that ends as soon as it has an upstream, again and again, as on a full disk: PostgreSQL starts it
 * anew fifty times a second, and each time costs a stream and lines in two logs. From the fourth time on that it had
 * begun to stream it is joined to an upstream once a second; from the {@value #EARLY_AT_ONCE}th on where it never came to
 * streaming, since right after a promotion it may have to ask some times until it can. Confined to the relay's loop.
 */
final class QuickEnds {
    static final int EARLY_AT_ONCE = 20;
    private static final long QUICK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int AT_ONCE = 3;

    private final MonotonicClock clock;
    private boolean joined;
    private boolean streaming;
    private long sinceNanos;
    private int inARow;
    private int early;
    private long endedNanos;

    QuickEnds(MonotonicClock clock) {
        this.clock = clock;
    }

    /** Another upstream: what happened before says nothing of it. */
    void reset() {
        joined = false;
        streaming = false;
        inARow = 0;
        early = 0;
    }

    /** It has an upstream to talk to. */
    void onJoined() {
        if (!streaming) {
            joined = true;
            sinceNanos = clock.nanos();
        }
    }

    void onStreaming() {
        streaming = true;
        early = 0;
        sinceNanos = clock.nanos();
    }

    /** The receiver is gone; one that had no upstream does not count. */
    void onReceiverGone() {
        if (streaming || joined) {
            endedNanos = clock.nanos();
            boolean quick = endedNanos - sinceNanos < QUICK_NANOS;
            if (streaming) {
                inARow = quick ? inARow + 1 : 0;
            } else {
                early = quick ? early + 1 : 0;
            }
            streaming = false;
            joined = false;
        }
    }

    /** Whether the next one has to wait a while for its upstream. */
    boolean mustWait() {
        return any() && clock.nanos() - endedNanos < QUICK_NANOS;
    }

    /** Whether somebody may have waited. */
    boolean any() {
        return inARow > AT_ONCE || early >= EARLY_AT_ONCE;
    }
}
