package io.quantadb.node.consensus;

/**
 * The slowest of what was measured in the last minute: about the 99.9th percentile, and never one of the two slowest, which
 * may be hiccups of a process or a link. Keeps a few numbers for each five seconds. One owner.
 */
final class Tail {
    private static final int SLOTS = 12;
    private static final long SLOT_NANOS = 5_000_000_000L;
    /** In a minute of ticks every 10 ms the percentile is the seventh. */
    private static final int KEPT = 8;

    private static final int PART = 1_000;
    private static final int HICCUPS = 2;

    private final long[][] slowest = new long[SLOTS][KEPT];
    private final int[] counts = new int[SLOTS];
    private int slot;
    private long slotEnds;

    Tail(long nowNanos) {
        slotEnds = nowNanos + SLOT_NANOS;
    }

    void add(long nanos, long nowNanos) {
        move(nowNanos);
        counts[slot]++;
        insert(slowest[slot], Math.max(0, nanos));
    }

    /** In nanoseconds; 0 before the third measurement. */
    long nanos(long nowNanos) {
        move(nowNanos);
        long[] all = new long[KEPT];
        int count = 0;
        for (int i = 0; i < SLOTS; i++) {
            count += counts[i];
            for (long value : slowest[i]) {
                insert(all, value);
            }
        }
        return all[Math.min(KEPT - 1, Math.max(HICCUPS, count / PART))];
    }

    /** The greatest first; what is too small falls out. */
    private static void insert(long[] sorted, long value) {
        for (int i = 0; i < sorted.length && value > 0; i++) {
            if (value > sorted[i]) {
                long smaller = sorted[i];
                sorted[i] = value;
                value = smaller;
            }
        }
    }

    private void move(long nowNanos) {
        for (int moved = 0; nowNanos - slotEnds >= 0 && moved < SLOTS; moved++) {
            slot = (slot + 1) % SLOTS;
            counts[slot] = 0;
            slowest[slot] = new long[KEPT];
            slotEnds += SLOT_NANOS;
        }
        if (nowNanos - slotEnds >= 0) {
            slotEnds = nowNanos + SLOT_NANOS;
        }
    }
}
