package io.quantadb.node.chaos;

import java.util.ArrayList;
import java.util.List;

/**
 * When commits may have been acknowledged by the primary alone, because somebody asked for mode {@code async}: what was
 * acknowledged then may be lost by right. Times are {@link System#nanoTime}. Any thread.
 */
final class LooseTimes {
    private record Span(long from, long to) {
        boolean has(long nanos) {
            return nanos - from >= 0 && nanos - to <= 0;
        }
    }

    private final List<Span> over = new ArrayList<>();
    private long since;
    private boolean open;

    /** From now on, unless it is so already. */
    synchronized void begin(long now) {
        if (!open) {
            open = true;
            since = now;
        }
    }

    /** No more: what was acknowledged before is safe by now. */
    synchronized void end(long now) {
        if (open) {
            open = false;
            over.add(new Span(since, now));
        }
    }

    synchronized boolean cover(long nanos) {
        return (open && nanos - since >= 0) || over.stream().anyMatch(span -> span.has(nanos));
    }
}
