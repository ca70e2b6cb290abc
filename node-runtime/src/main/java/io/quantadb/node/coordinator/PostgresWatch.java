package io.quantadb.node.coordinator;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.PID;

import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.MonotonicClock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks this node's PostgreSQL once a second, on a thread of its own, whether it answers at all, and tells the core when a
 * question stays open for too long: a server whose processes stand still ends by no signal, keeps its sockets, and lets
 * every commit hang. What follows is the core's affair.
 *
 * <p>One question at a time, and its time is counted at {@link #look}, which the core thread calls several times a second:
 * between two looks never more than {@link #LOOK_MAX_NANOS} counts, so that an agent that was stopped, or a machine that
 * slept, blames nobody for that time. Only a server that ought to answer is judged, and a question is over with the run of
 * the server that it was put to.
 */
public final class PostgresWatch implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresWatch.class);
    private static final Duration EVERY = Duration.ofSeconds(1);
    private static final long LOOK_MAX_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final String SILENT = "its PostgreSQL stands still";

    /** What is watched. */
    public interface Server {
        /** Which run of it ought to answer now, its process id; 0 when none. Any thread, at once. */
        long run();

        /** Asks and waits; whether an answer came. */
        boolean answers();
    }

    /** @param number tells one from the next */
    private record Question(long number, long run) {}

    private final Server server;
    private final Duration timeout;
    private final MonotonicClock clock;
    private final Consumer<Event> events;
    private final Thread thread;
    private volatile boolean closed;
    /** The one that was not answered yet. */
    private volatile @Nullable Question open;

    // Core thread.
    private long lookedAt;
    private @Nullable Question counted;
    private long openNanos;
    private boolean told;

    /** @param timeout how long a question may stay open ({@code cluster.failover.postgres_timeout}) */
    public PostgresWatch(Server server, Duration timeout, MonotonicClock clock, Consumer<Event> events) {
        this.server = server;
        this.timeout = timeout;
        this.clock = clock;
        this.events = events;
        this.lookedAt = clock.nanos();
        // Not a virtual one: those share few threads, and waiting for one of them must not look like a silent server.
        this.thread = Thread.ofPlatform().name("quantadb-postgres").daemon(true).unstarted(this::askAgainAndAgain);
    }

    public void start() {
        thread.start();
    }

    private void askAgainAndAgain() {
        long number = 0;
        while (!closed) {
            long run = server.run();
            Question before = open;
            if (run == 0) {
                open = null;
            } else {
                if (before == null || before.run() != run) {
                    open = new Question(++number, run);
                }
                if (server.answers()) {
                    open = null;
                }
            }
            LockSupport.parkNanos(this, EVERY.toNanos());
        }
    }

    /** Core thread; never waits. Tells what has changed since it was last asked. */
    public void look() {
        long now = clock.nanos();
        long passed = Math.min(now - lookedAt, LOOK_MAX_NANOS);
        lookedAt = now;
        long run = server.run();
        Question question = open;
        if (question == null || question.run() != run) {
            counted = null;
        } else if (question.equals(counted)) {
            openNanos += passed;
        } else {
            counted = question;
            openNanos = 0;
        }
        tell(counted != null && openNanos >= timeout.toNanos(), run);
    }

    private void tell(boolean silent, long run) {
        if (silent == told) {
            return;
        }
        told = silent;
        if (silent) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue(PID, run)
                    .addKeyValue("limit", timeout)
                    .log("this node's PostgreSQL stands still: it leaves a question unanswered");
        } else if (run != 0) {
            LOGGER.atInfo().addMarker(CLUSTER).addKeyValue(PID, run).log("this node's PostgreSQL answers again");
        }
        events.accept(new Event.ServerHealth(silent ? SILENT : ""));
    }

    /** The thread ends by itself: it may wait for an answer. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
