package io.quantadb.node.verify;

import io.quantadb.node.common.MonotonicClock;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.LockSupport;

/** Time as a comparison sees it: a clock, and a way to let some of it pass. */
public interface Pauses extends MonotonicClock {
    /** Waits; an interrupt ends the comparison with a {@link CancellationException}. */
    void sleep(Duration time);

    /** The machine's own. */
    static Pauses real() {
        return new Pauses() {
            @Override
            public long nanos() {
                return System.nanoTime();
            }

            @Override
            public void sleep(Duration time) {
                long end = System.nanoTime() + time.toNanos();
                for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                    if (Thread.interrupted()) {
                        throw new CancellationException("the comparison was interrupted");
                    }
                }
            }
        };
    }
}
