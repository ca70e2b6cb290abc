package io.quantadb.node.pgwire;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Ends waits that NIO cannot bound itself: closes what is being waited on when a deadline passes, which wakes the waiting
 * thread with an exception. One daemon thread serves all connections of the process; it only closes.
 */
final class Watchdog {
    private static final Watchdog SHARED = new Watchdog();

    private final ScheduledThreadPoolExecutor timer;

    private Watchdog() {
        timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("pg-deadlines").factory());
        timer.setRemoveOnCancelPolicy(true);
    }

    static Watchdog shared() {
        return SHARED;
    }

    /** Closes {@code target} unless the answer is closed within {@code wait}. */
    Armed arm(Closeable target, Duration wait) {
        Armed armed = new Armed(target);
        armed.timer = timer.schedule(armed::expire, Math.max(0, wait.toNanos()), TimeUnit.NANOSECONDS);
        return armed;
    }

    /** A wait that is under way. */
    static final class Armed implements AutoCloseable {
        private static final int WAITING = 0;
        private static final int OVER = 1;
        private static final int EXPIRED = 2;

        private final Closeable target;
        private final AtomicInteger state = new AtomicInteger(WAITING);
        private volatile @Nullable ScheduledFuture<?> timer;

        private Armed(Closeable target) {
            this.target = target;
        }

        private void expire() {
            if (state.compareAndSet(WAITING, EXPIRED)) {
                try {
                    target.close();
                } catch (IOException e) {
                    // It is gone either way; who waits on it gets an exception of its own.
                    return;
                }
            }
        }

        boolean expired() {
            return state.get() == EXPIRED;
        }

        @Override
        public void close() {
            state.compareAndSet(WAITING, OVER);
            ScheduledFuture<?> scheduled = timer;
            if (scheduled != null) {
                scheduled.cancel(false);
            }
        }
    }
}
