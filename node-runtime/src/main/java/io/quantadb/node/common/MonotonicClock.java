package io.quantadb.node.common;

/** A clock that only goes forward, in nanoseconds from an arbitrary origin; comparable within one process only. */
@FunctionalInterface
public interface MonotonicClock {
    long nanos();
}
