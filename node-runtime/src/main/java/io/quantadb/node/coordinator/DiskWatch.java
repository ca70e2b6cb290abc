package io.quantadb.node.coordinator;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.MonotonicClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks this node's disk for a flush once a second, on a thread of its own, and tells the core when it does not answer in
 * time or answers with an error: a primary on such a disk cannot commit though its process lives, and a standby on one
 * could not either.
 *
 * <p>The file is written in place, and a full disk is no trouble here: PostgreSQL finds that out by itself, and a node may
 * be the only one that holds what was acknowledged last. {@link #look} is called on the core thread and never waits.
 */
public final class DiskWatch implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(DiskWatch.class);
    private static final int FILE_BYTES = 4096;
    private static final Duration EVERY = Duration.ofSeconds(1);

    /** One flush of the disk that is watched; returns when it is done. */
    @FunctionalInterface
    public interface Flush {
        void run() throws IOException;
    }

    private final Flush flush;
    private final Duration timeout;
    private final MonotonicClock clock;
    private final Consumer<Event> events;
    private final Thread thread;
    private volatile boolean closed;
    /** When the flush under way began; meaningful while {@link #flushing}. */
    private volatile long since;

    private volatile boolean flushing;
    private volatile String failure = "";
    private String told = "";

    /** @param timeout how long a flush may take ({@code cluster.failover.disk_timeout}) */
    public DiskWatch(Flush flush, Duration timeout, MonotonicClock clock, Consumer<Event> events) {
        this.flush = flush;
        this.timeout = timeout;
        this.clock = clock;
        this.events = events;
        this.thread = Thread.ofPlatform().name("quantadb-disk").daemon(true).unstarted(this::flushAgainAndAgain);
    }

    /** Flushes this file, which is made where it is not there. */
    public static Flush file(Path file) {
        return new Flush() {
            private long count;

            @Override
            public void run() throws IOException {
                try (FileChannel channel =
                        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                    ByteBuffer page = ByteBuffer.allocate(FILE_BYTES).putLong(0, ++count);
                    while (page.hasRemaining()) {
                        var _ = channel.write(page, page.position());
                    }
                    channel.force(false);
                }
            }
        };
    }

    private static boolean full(IOException e) {
        String words = String.valueOf(e.getMessage());
        return words.contains("No space left") || words.contains("quota exceeded");
    }

    public void start() {
        thread.start();
    }

    private void flushAgainAndAgain() {
        while (!closed) {
            since = clock.nanos();
            flushing = true;
            try {
                flush.run();
                failure = "";
            } catch (IOException e) {
                failure = full(e) ? "" : "its disk fails: " + e.getMessage();
            }
            flushing = false;
            LockSupport.parkNanos(this, EVERY.toNanos());
        }
    }

    /** Core thread. Tells what has changed since it was last asked. */
    public void look() {
        String trouble = trouble(clock.nanos());
        if (trouble.equals(told)) {
            return;
        }
        told = trouble;
        if (trouble.isEmpty()) {
            LOGGER.atInfo().addMarker(CLUSTER).log("this node's disk answers again");
        } else {
            LOGGER.atWarn().addMarker(CLUSTER).addKeyValue(REASON, trouble).log("this node is unhealthy");
        }
        events.accept(new Event.DiskHealth(trouble));
    }

    private String trouble(long now) {
        if (flushing && now - since >= timeout.toNanos()) {
            return "its disk leaves a flush unanswered";
        }
        return failure;
    }

    /** The thread ends by itself: it may hang in the disk. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
