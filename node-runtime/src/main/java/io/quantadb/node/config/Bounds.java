package io.quantadb.node.config;

import java.time.Duration;

/** The checks that records make of themselves; every message has the key, the value and the bound. */
final class Bounds {
    private Bounds() {}

    static void requireBetween(String key, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException("%s=%d must be from %d to %d".formatted(key, value, min, max));
        }
    }

    static void requireBetween(String key, Duration value, Duration min, Duration max) {
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw new IllegalArgumentException("%s=%s must be from %s to %s"
                    .formatted(key, Durations.format(value), Durations.format(min), Durations.format(max)));
        }
    }

    static void requireBetween(String key, DataSize value, DataSize min, DataSize max) {
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw new IllegalArgumentException("%s=%s must be from %s to %s".formatted(key, value, min, max));
        }
    }
}
