package io.quantadb.node.cli;

import io.quantadb.node.common.HostPort;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes a row every few milliseconds through the listeners that follow the primary, as an application would: when its
 * connection breaks it tries the next node at once. It remembers what was acknowledged and when. Its own thread writes;
 * any thread may ask.
 */
final class DemoWriter implements AutoCloseable {
    private static final Duration EVERY = Duration.ofMillis(10);
    private static final Duration WAIT = Duration.ofMillis(400);
    private static final Duration AUDIT_WAIT = Duration.ofSeconds(10);
    private static final String TABLE = "quantadb_demo";

    private final List<HostPort> listeners;
    private final String password;
    private final long firstId;
    private final List<Long> acknowledgedNanos = new ArrayList<>();
    private final Set<Long> acknowledged = new HashSet<>();
    private final Thread thread =
            Thread.ofPlatform().daemon().name("demo-writer").unstarted(this::run);
    private volatile boolean stopped;

    /** @param firstId ids go up from here; no earlier writer may have used them */
    DemoWriter(List<HostPort> listeners, String password, long firstId) {
        this.listeners = List.copyOf(listeners);
        this.password = password;
        this.firstId = firstId;
    }

    /** Makes the table and starts to write. */
    void start() throws IOException {
        try (SqlSession session = anySession(0, AUDIT_WAIT)) {
            session.query("CREATE TABLE IF NOT EXISTS " + TABLE
                    + " (id bigint NOT NULL, written_at timestamptz DEFAULT clock_timestamp())");
        }
        thread.start();
    }

    private void run() {
        SqlSession session = null;
        int from = 0;
        long id = firstId;
        while (!stopped) {
            try {
                if (session == null) {
                    session = anySession(from++, WAIT);
                }
                session.query("INSERT INTO " + TABLE + " (id) VALUES (" + id + ")");
                record(id);
            } catch (IOException e) {
                close(session);
                session = null;
            }
            id++;
            try {
                Thread.sleep(session == null ? Duration.ofMillis(2) : EVERY);
            } catch (InterruptedException e) {
                stopped = true;
            }
        }
        close(session);
    }

    private synchronized void record(long id) {
        acknowledged.add(id);
        acknowledgedNanos.add(System.nanoTime());
    }

    /** How many rows have been acknowledged. */
    synchronized int count() {
        return acknowledged.size();
    }

    /** How many rows were acknowledged after this instant. */
    synchronized long countAfter(long nanos) {
        return acknowledgedNanos.stream().filter(at -> at > nanos).count();
    }

    /** The longest time between two acknowledgements of which the second came after this instant; 0 without any. */
    synchronized Duration longestGapAfter(long nanos) {
        long longest = 0;
        for (int i = 1; i < acknowledgedNanos.size(); i++) {
            if (acknowledgedNanos.get(i) > nanos) {
                longest = Math.max(longest, acknowledgedNanos.get(i) - acknowledgedNanos.get(i - 1));
            }
        }
        return Duration.ofNanos(longest);
    }

    /** Looks every acknowledged row up; how many are missing. */
    long lost() throws IOException {
        Set<Long> missing;
        synchronized (this) {
            missing = new HashSet<>(acknowledged);
        }
        try (SqlSession session = anySession(0, AUDIT_WAIT)) {
            session.query("SELECT id FROM " + TABLE + " WHERE id >= " + firstId)
                    .forEach(id -> missing.remove(Long.parseLong(id)));
        }
        return missing.size();
    }

    private SqlSession anySession(int from, Duration wait) throws IOException {
        IOException last = new IOException("there is no listener");
        for (int i = 0; i < listeners.size(); i++) {
            try {
                return SqlSession.open(listeners.get((from + i) % listeners.size()), "postgres", password, wait);
            } catch (IOException e) {
                last = e;
            }
        }
        throw last;
    }

    private static void close(@Nullable SqlSession session) {
        if (session != null) {
            session.close();
        }
    }

    @Override
    public void close() {
        stop();
    }

    /** Writes no more; what is under way is waited for. */
    void stop() {
        stopped = true;
        try {
            if (thread.isAlive()) {
                thread.join(Duration.ofSeconds(5));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
