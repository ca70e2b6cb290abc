package io.quantadb.node.coordinator;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs what waits for PostgreSQL (start, stop, promote, clone) one after another, in the order asked, on one virtual
 * thread. An urgent task throws away what is queued, interrupts what runs and goes next: a fence must not wait behind a
 * clone. The queue is bounded; the core never has more than a few tasks under way.
 */
final class EngineQueue implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(EngineQueue.class);
    private static final int BOUND = 64;

    /** A piece of work that may block and may be interrupted. */
    interface Task {
        void run() throws InterruptedException;
    }

    private record Named(String name, Task task) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Named> queue = new ArrayDeque<>();
    private final Thread thread;
    private @Nullable Named running;
    private boolean closed;

    EngineQueue() {
        thread = Thread.ofVirtual().name("quantadb-engine").start(this::loop);
    }

    void submit(String name, Task task) {
        lock.lock();
        try {
            if (queue.size() >= BOUND) {
                throw new IllegalStateException(
                        "%d tasks wait for PostgreSQL, the bound: %s was not queued".formatted(BOUND, name));
            }
            queue.addLast(new Named(name, task));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Drops what is queued, interrupts what runs, and runs this next. */
    void urgent(String name, Task task) {
        lock.lock();
        try {
            queue.clear();
            queue.addLast(new Named(name, task));
            if (running != null) {
                thread.interrupt();
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void loop() {
        while (true) {
            Named next;
            lock.lock();
            try {
                running = null;
                // An interrupt meant for the task that has just ended must not hit the next one.
                Thread.interrupted();
                while (queue.isEmpty() && !closed) {
                    changed.awaitUninterruptibly();
                }
                if (closed) {
                    return;
                }
                next = queue.removeFirst();
                running = next;
            } finally {
                lock.unlock();
            }
            try {
                next.task().run();
            } catch (InterruptedException e) {
                LOGGER.atDebug().addKeyValue("task", next.name()).log("interrupted by something more urgent");
            } catch (RuntimeException e) {
                LOGGER.atError().addKeyValue("task", next.name()).setCause(e).log("engine task failed");
            }
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            queue.clear();
            thread.interrupt();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
