package io.quantadb.node.consensus;

import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raftlog.RaftStorage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The thread that writes Raft's disk; a slow disk delays what waits for it and never the heartbeats. Completions are a
 * counter that the core thread reads when it is woken.
 *
 * <p>Entries that come within {@code flush_interval} of the last flush are gathered until it is over, and all that wait
 * then are flushed at once; the first after a pause goes at once, and so does whatever is no plain entry: a vote above all.
 */
final class LogWriter {
    private static final int QUEUE_MAX = 4096;
    private static final long IDLE_MS = 1000;
    private static final int ENTRIES_MAX = 1024;

    private static final DiskWrite END = new DiskWrite(0, null, null, false, 0, List.of(), 0);

    private final RaftStorage storage;
    private final Runnable wake;
    private final MonotonicClock clock;
    private final long intervalNanos;
    private final BlockingQueue<DiskWrite> queue = new ArrayBlockingQueue<>(QUEUE_MAX);
    private final Thread thread;
    private volatile boolean closing;
    private volatile long completed;
    private volatile @Nullable RuntimeException fault;

    /** Taken from the queue, and not to be written with what came before it. */
    private @Nullable DiskWrite held;

    private boolean flushedBefore;
    private long flushedAt;

    LogWriter(RaftStorage storage, Runnable wake, MonotonicClock clock, Duration flushInterval) {
        this.storage = storage;
        this.wake = wake;
        this.clock = clock;
        this.intervalNanos = flushInterval.toNanos();
        this.thread = Thread.ofPlatform().name("quantadb-raft-log").daemon(true).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    Thread thread() {
        return thread;
    }

    void submit(DiskWrite write) {
        if (!queue.offer(write)) {
            throw new LocalFault("the Raft disk is %d writes behind: see that it is healthy".formatted(QUEUE_MAX));
        }
    }

    /** The id of the last completed write. */
    long completed() {
        return completed;
    }

    void requireHealthy() {
        RuntimeException f = fault;
        if (f != null) {
            throw f;
        }
    }

    /** Finishes what is queued and ends. No interrupt: it would close the file under a write. */
    void close() {
        closing = true;
        if (queue.isEmpty()) {
            submit(END);
        }
    }

    private void run() {
        while (true) {
            DiskWrite first = next();
            if (first == null) {
                return;
            }
            DiskWrite write = first;
            try {
                write = plain(first) ? gathered(first) : first;
                flushedBefore = true;
                flushedAt = clock.nanos();
                storage.write(write);
            } catch (RuntimeException e) {
                fault = e;
                wake.run();
                return;
            }
            completed = write.writeId();
            wake.run();
        }
    }

    /** Entries to append and nothing else. */
    static boolean plain(DiskWrite w) {
        return w.writeId() > 0
                && w.hardState() == null
                && w.snapshot() == null
                && w.truncateFrom() == 0
                && w.compactTo() == 0;
    }

    /** This one and the plain ones behind it, as one write. */
    private DiskWrite gathered(DiskWrite first) {
        List<LogEntry> entries = new ArrayList<>(first.entries());
        long lastId = first.writeId();
        try {
            while (entries.size() < ENTRIES_MAX) {
                long wait = flushedBefore && !closing ? flushedAt + intervalNanos - clock.nanos() : 0;
                DiskWrite more = queue.poll(Math.max(0, wait), TimeUnit.NANOSECONDS);
                if (more == null || !plain(more)) {
                    held = more;
                    break;
                }
                entries.addAll(more.entries());
                lastId = more.writeId();
            }
        } catch (InterruptedException e) {
            closing = true;
        }
        return new DiskWrite(lastId, null, null, false, 0, entries, 0);
    }

    /** The next write; null when closing and nothing is left. */
    private @Nullable DiskWrite next() {
        DiskWrite before = held;
        held = null;
        if (before != null && before.writeId() > 0) {
            return before;
        }
        while (true) {
            try {
                DiskWrite write = queue.poll(IDLE_MS, TimeUnit.MILLISECONDS);
                if (write != null && write.writeId() > 0) {
                    return write;
                }
                if (closing && queue.isEmpty()) {
                    return null;
                }
            } catch (InterruptedException e) {
                closing = true;
            }
        }
    }
}
