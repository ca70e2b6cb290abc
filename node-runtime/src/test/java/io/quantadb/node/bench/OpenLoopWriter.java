package io.quantadb.node.bench;

import io.quantadb.node.bench.History.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Inserts one row every few milliseconds by the clock, whether earlier ones were answered or not, each with an id of its
 * own, over a few connections that are made anew at once when they break. An attempt that found no connection within a
 * moment was never sent and counts as failed; one that broke after it was sent is unknown.
 */
public final class OpenLoopWriter implements AutoCloseable {
    public static final String TABLE = "bench_writes";
    private static final int CONNECTIONS = 4;
    private static final long LAST_ANSWERS_MS = 500;
    private static final long STALE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final ClusterSql sql;
    private final Duration every;
    private final History history;
    private final AtomicLong ids;
    private final BlockingQueue<Long> due = new ArrayBlockingQueue<>(64);
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReferenceArray<@Nullable Connection> open = new AtomicReferenceArray<>(CONNECTIONS);
    /** 1 while that worker has an attempt under way. */
    private final AtomicIntegerArray inserting = new AtomicIntegerArray(CONNECTIONS);

    private volatile boolean stopped;

    /** @param firstId ids go up from here */
    public OpenLoopWriter(ClusterSql sql, Duration every, long firstId, History history) {
        this.sql = sql;
        this.every = every;
        this.ids = new AtomicLong(firstId);
        this.history = history;
    }

    public static void createTable(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            // No unique index: a row written twice must be seen, not refused.
            statement.execute("CREATE TABLE IF NOT EXISTS " + TABLE
                    + " (serial bigint GENERATED ALWAYS AS IDENTITY, id bigint NOT NULL)");
        }
    }

    public void start() {
        threads.add(Thread.ofPlatform().name("bench-clock").start(this::tick));
        for (int i = 0; i < CONNECTIONS; i++) {
            int worker = i;
            threads.add(Thread.ofPlatform().daemon().name("bench-writer-" + i).start(() -> work(worker)));
        }
    }

    private void tick() {
        long next = System.nanoTime();
        while (!stopped) {
            if (!due.offer(next)) {
                // All connections are busy or broken: the attempt is due now and cannot be sent.
                history.add(ids.getAndIncrement(), -1, next, next, Outcome.FAILED);
            }
            next += every.toNanos();
            LockSupport.parkNanos(next - System.nanoTime());
        }
    }

    private void work(int worker) {
        Connection connection = null;
        int from = worker;
        while (!stopped) {
            try {
                if (connection == null) {
                    connection = sql.quick(from++);
                    open.set(worker, connection);
                }
                Long dueAt = due.poll(50, TimeUnit.MILLISECONDS);
                if (dueAt == null) {
                    continue;
                }
                // Said before it is asked whether to stop: who stops then waits for this attempt.
                inserting.set(worker, 1);
                if (!stopped && !attempt(connection, worker, dueAt)) {
                    abandon(connection);
                    connection = null;
                }
                inserting.set(worker, 0);
            } catch (SQLException e) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            } catch (InterruptedException e) {
                stopped = true;
            }
        }
        if (connection != null) {
            abandon(connection);
        }
    }

    /** Returns whether the connection can be used again. */
    private boolean attempt(Connection connection, int worker, long dueAt) {
        long id = ids.getAndIncrement();
        long begun = System.nanoTime();
        if (begun - dueAt > STALE_NANOS) {
            history.add(id, worker, begun, begun, Outcome.FAILED);
            return true;
        }
        return insert(connection, worker, id, begun);
    }

    private boolean insert(Connection connection, int worker, long id, long begun) {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("INSERT INTO " + TABLE + " (id) VALUES (" + id + ")");
            history.add(id, worker, begun, System.nanoTime(), Outcome.ACKNOWLEDGED);
            return true;
        } catch (SQLException e) {
            history.addError();
            history.add(id, worker, begun, System.nanoTime(), outcomeOf(e.getSQLState()));
            return false;
        }
    }

    /** Only words that a server says before it does anything mean that nothing was done. */
    static Outcome outcomeOf(String sqlState) {
        if (sqlState == null) {
            return Outcome.UNKNOWN;
        }
        return switch (sqlState) {
            case "25006", "57P03", "53300", "28P01", "28000", "42P01", "40001" -> Outcome.FAILED;
            default -> Outcome.UNKNOWN;
        };
    }

    private static void abandon(Connection connection) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            // It is thrown away; what it still has to say does not matter.
        }
    }

    /**
     * What is under way a moment later, as on a node that is paused, is given up: nobody knows what came of it. Who only
     * waits for a connection is not waited for.
     */
    @Override
    public void close() throws InterruptedException {
        stopped = true;
        awaitAnswers(LAST_ANSWERS_MS);
        for (int i = 0; i < CONNECTIONS; i++) {
            Connection left = open.get(i);
            if (left != null) {
                abandon(left);
            }
        }
        awaitAnswers(TimeUnit.SECONDS.toMillis(10));
    }

    private void awaitAnswers(long millis) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (System.nanoTime() < until && busy()) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private boolean busy() {
        for (int i = 0; i < CONNECTIONS; i++) {
            if (inserting.get(i) == 1) {
                return true;
            }
        }
        return false;
    }
}
