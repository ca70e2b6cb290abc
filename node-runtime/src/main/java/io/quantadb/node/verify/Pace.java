package io.quantadb.node.verify;

import java.time.Duration;

/**
 * Keeps reading at a rate. What took longer than its due is not made up for: a rate is a bound, not an average. One
 * thread.
 */
final class Pace {
    private static final double NANOS = 1e9;

    private final long bytesPerSecond;
    private final Pauses time;
    private long freeAt;

    /** @param bytesPerSecond 0 for no bound */
    Pace(long bytesPerSecond, Pauses time) {
        this.bytesPerSecond = bytesPerSecond;
        this.time = time;
        this.freeAt = time.nanos();
    }

    /** Waits until so many bytes, just read, are within the rate. */
    void took(long bytes) {
        if (bytesPerSecond == 0) {
            return;
        }
        freeAt += (long) (bytes * NANOS / bytesPerSecond);
        long ahead = freeAt - time.nanos();
        if (ahead > 0) {
            time.sleep(Duration.ofNanos(ahead));
        } else {
            freeAt -= ahead;
        }
    }
}
