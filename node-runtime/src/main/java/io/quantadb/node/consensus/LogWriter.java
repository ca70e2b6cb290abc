package io.quantadb.node.consensus;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raftlog.RaftStorage;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The thread that writes Raft's disk, one write after another; a slow disk delays what waits for it and never the
 * heartbeats. Completions are a counter that the core thread reads when it is woken.
 */
final class LogWriter {
    private static final int QUEUE_MAX = 4096;
    private static final long IDLE_MS = 1000;

    private static final DiskWrite END = new DiskWrite(0, null, null, false, 0, List.of(), 0);

    private final RaftStorage storage;
    private final Runnable wake;
    private final BlockingQueue<DiskWrite> queue = new ArrayBlockingQueue<>(QUEUE_MAX);
    private final Thread thread;
    private volatile boolean closing;
    private volatile long completed;
    private volatile @Nullable RuntimeException fault;

    LogWriter(RaftStorage storage, Runnable wake) {
        this.storage = storage;
        this.wake = wake;
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
            DiskWrite write = next();
            if (write == null) {
                return;
            }
            try {
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

    /** The next write; null when closing and nothing is left. */
    private @Nullable DiskWrite next() {
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
