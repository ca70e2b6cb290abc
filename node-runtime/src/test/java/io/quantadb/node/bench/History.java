package io.quantadb.node.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * What a client did and heard, in the order of its own clock. Every attempt has an id that is never used twice. Threads
 * may record at the same time; one attempt is recorded by one thread.
 */
public final class History {
    /** What the client knows about an attempt. */
    public enum Outcome {
        /** Begun and not ended: as good as unknown. */
        PENDING,
        ACKNOWLEDGED,
        /** It was certainly not done: never sent, or refused before it could have any effect. */
        FAILED,
        /** It may have been done. */
        UNKNOWN
    }

    /**
     * One attempt.
     *
     * @param process who tried; attempts of one process follow each other
     * @param begunNanos when it was sent, on the client's monotonic clock
     * @param endedNanos when its outcome was known; 0 while it is not
     */
    public record Attempt(long id, int process, long begunNanos, long endedNanos, Outcome outcome) {}

    private final List<Attempt> attempts = new ArrayList<>();
    private long errors;

    /** Records the whole attempt at once, when its outcome is known. */
    public synchronized void add(long id, int process, long begunNanos, long endedNanos, Outcome outcome) {
        attempts.add(new Attempt(id, process, begunNanos, endedNanos, outcome));
    }

    /** A statement that was sent was answered by an error, or its connection broke. */
    public synchronized void addError() {
        errors++;
    }

    public synchronized long errors() {
        return errors;
    }

    public synchronized List<Attempt> attempts() {
        return List.copyOf(attempts);
    }

    public synchronized long count(Outcome outcome) {
        return attempts.stream().filter(a -> a.outcome() == outcome).count();
    }

    /** The times of all acknowledgements, ascending. */
    public synchronized long[] acknowledgedAt() {
        return attempts.stream()
                .filter(a -> a.outcome() == Outcome.ACKNOWLEDGED)
                .mapToLong(Attempt::endedNanos)
                .sorted()
                .toArray();
    }
}
