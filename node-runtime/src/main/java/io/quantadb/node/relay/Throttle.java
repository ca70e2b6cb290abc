package io.quantadb.node.relay;

import io.netty.channel.EventLoop;
import io.quantadb.node.common.MonotonicClock;
import java.util.concurrent.TimeUnit;

/** Lets the first of a burst through at once and the last of it after at most the interval. Confined to the loop. */
final class Throttle {
    private final EventLoop loop;
    private final MonotonicClock clock;
    private final long intervalNanos;
    private final Runnable emit;
    private long emittedNanos;
    private boolean scheduled;

    Throttle(EventLoop loop, MonotonicClock clock, long intervalNanos, Runnable emit) {
        this.loop = loop;
        this.clock = clock;
        this.intervalNanos = intervalNanos;
        this.emit = emit;
        this.emittedNanos = clock.nanos() - intervalNanos;
    }

    void mark() {
        if (scheduled) {
            return;
        }
        long wait = emittedNanos + intervalNanos - clock.nanos();
        if (wait <= 0) {
            now();
        } else {
            scheduled = true;
            var _ = loop.schedule(
                    () -> {
                        scheduled = false;
                        now();
                    },
                    wait,
                    TimeUnit.NANOSECONDS);
        }
    }

    void now() {
        emittedNanos = clock.nanos();
        emit.run();
    }
}
