package io.quantadb.node.runtime;

import io.quantadb.node.common.MonotonicClock;
import java.time.Duration;

/**
 * Holds bytes back so that they keep to a rate: each piece waits for as long as it takes at that rate, behind those before
 * it. A pause earns no credit, so no burst follows it. Any thread.
 */
final class Pace {
    private static final long SECOND = 1_000_000_000L;

    private final long bytesPerSecond;
    private final MonotonicClock clock;
    private boolean begun;
    private long dueNanos;

    /** @param bytesPerSecond 0 for no limit */
    Pace(long bytesPerSecond, MonotonicClock clock) {
        this.bytesPerSecond = bytesPerSecond;
        this.clock = clock;
    }

    /** How long these bytes, which have just come, must wait before they are passed on. */
    synchronized Duration delayOf(int bytes) {
        if (bytesPerSecond == 0) {
            return Duration.ZERO;
        }
        long now = clock.nanos();
        long from = begun && dueNanos - now > 0 ? dueNanos : now;
        begun = true;
        dueNanos = from + Math.ceilDiv(bytes * SECOND, bytesPerSecond);
        return Duration.ofNanos(dueNanos - now);
    }
}
