package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.common.MonotonicClock;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The clock of everything that a lease rests on: Linux's CLOCK_BOOTTIME, which is the monotonic clock and goes on while
 * the machine is suspended ({@code System.nanoTime} stops then). A primary on a machine that slept so finds its lease
 * run out when it wakes, at the first look, and must win another; on a clock that slept too it would go on showing what
 * others have overwritten. A virtual machine stopped by its host sees neither clock move, and is not covered by this.
 *
 * <p>One call of the C library that enters no kernel (vDSO), so asking at every result is cheap. Any thread.
 */
final class BootClock implements MonotonicClock {
    private static final Logger LOGGER = LoggerFactory.getLogger(BootClock.class);
    /** From linux/time.h. */
    private static final int CLOCK_BOOTTIME = 7;

    private static final long NANOS = TimeUnit.SECONDS.toNanos(1);

    private final MethodHandle clockGettime;

    private BootClock() {
        this.clockGettime = link();
    }

    /** The boot-time clock; {@code System.nanoTime}, with a warning, on a machine that has none. */
    static MonotonicClock orMonotonic() {
        try {
            BootClock clock = new BootClock();
            var _ = clock.nanos();
            return clock;
        } catch (RuntimeException | LinkageError e) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue(REASON, e.getMessage())
                    .log("no boot-time clock here: a lease is not cut short when this machine is suspended");
            return System::nanoTime;
        }
    }

    @Override
    public long nanos() {
        long[] time = new long[2]; // struct timespec of 64-bit Linux: seconds, nanoseconds
        int failed;
        try {
            failed = (int) clockGettime.invokeExact(CLOCK_BOOTTIME, MemorySegment.ofArray(time));
        } catch (Throwable e) {
            throw new IllegalStateException("clock_gettime(2) cannot be called", e);
        }
        if (failed != 0) {
            throw new IllegalStateException("clock_gettime(2) does not know CLOCK_BOOTTIME");
        }
        return time[0] * NANOS + time[1];
    }

    @SuppressWarnings("restricted") // the launcher enables native access
    private static MethodHandle link() {
        if (ValueLayout.ADDRESS.byteSize() != Long.BYTES) {
            throw new IllegalStateException("not a 64-bit machine");
        }
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup()
                        .find("clock_gettime")
                        .orElseThrow(() -> new IllegalStateException("no clock_gettime(2)")),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS),
                // It returns at once, so that it may be given memory of the heap.
                Linker.Option.critical(true));
    }
}
