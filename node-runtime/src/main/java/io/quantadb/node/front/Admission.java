package io.quantadb.node.front;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts client connections, in all and per user, against their limits. Any thread. */
final class Admission {
    /** Beyond the limit, so many more are let in far enough to be told; the next ones are closed without a word. */
    static final int TOLD_MAX = 64;

    private final int max;
    private final int perUserMax;
    private final AtomicInteger all = new AtomicInteger();
    private final ConcurrentHashMap<String, Integer> byUser = new ConcurrentHashMap<>();

    enum Entry {
        IN,
        /** May speak until it can be told that there are too many. */
        TELL,
        CLOSE
    }

    Admission(int max, int perUserMax) {
        this.max = max;
        this.perUserMax = perUserMax;
    }

    /** One more connection; every entry is given back with {@link #leave}. */
    Entry enter() {
        int now = all.incrementAndGet();
        if (now <= max) {
            return Entry.IN;
        }
        return now <= max + TOLD_MAX ? Entry.TELL : Entry.CLOSE;
    }

    void leave() {
        all.decrementAndGet();
    }

    /** False when the user has as many as allowed; true is given back with {@link #leaveUser}. */
    boolean enterUser(String user) {
        boolean[] in = {true};
        byUser.compute(user, (_, count) -> {
            int before = count == null ? 0 : count;
            in[0] = before < perUserMax;
            return in[0] ? Integer.valueOf(before + 1) : count;
        });
        return in[0];
    }

    void leaveUser(String user) {
        byUser.computeIfPresent(user, (_, count) -> count == 1 ? null : count - 1);
    }

    int count() {
        return all.get();
    }
}
