package io.quantadb.node.relay;

/**
 * Pauses between dials that double from 20 ms up to a longest one, as often as tries are given; it goes on with the last
 * pause for ever. A success starts over.
 */
final class Backoff {
    private static final long FIRST_MS = 20;
    private static final int QUICK_TRIES = 100;

    private final long longestMs;
    private final int tries;
    private long nextMs = FIRST_MS;
    private long failures;

    Backoff(long longestMs, int tries) {
        this.tries = tries;
        this.longestMs = Math.max(FIRST_MS, longestMs);
    }

    long failed() {
        failures++;
        long pause = nextMs;
        nextMs = failures >= tries ? nextMs : Math.min(longestMs, nextMs * 2);
        return pause;
    }

    /** The other side is there and will be ready soon: the pause stays short for a while. */
    long notYet() {
        failures++;
        return failures <= QUICK_TRIES ? FIRST_MS : failed();
    }

    void reset() {
        nextMs = FIRST_MS;
        failures = 0;
    }

    long failures() {
        return failures;
    }
}
