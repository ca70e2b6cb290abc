package io.quantadb.node.transport;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.NODE;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was made from certificate files, made anew when they change. Nobody keeps it: whoever needs it asks for the
 * present one. Files are looked at once a second at most, off the event loop, so a change is used by those who ask a
 * second later. Files that cannot be used (half copied, key and certificate of different pairs) are reported and what
 * was made before serves on. Any thread.
 *
 * @param <T> immutable, or safe for any thread
 */
final class Reloaded<T> {
    private static final Logger LOGGER = LoggerFactory.getLogger(Reloaded.class);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

    /** What a file looked like when it was read. */
    private record Look(
            @Nullable FileTime modified,
            long bytes,
            @Nullable Object inode) {
        static Look at(Path file) {
            try {
                BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
                return new Look(a.lastModifiedTime(), a.size(), a.fileKey());
            } catch (IOException e) {
                return new Look(null, -1, null);
            }
        }
    }

    private record Made<T>(List<Look> looks, T value) {}

    private final NodeId self;
    private final List<Path> files;
    private final Supplier<T> reader;
    private final Function<T, Instant> expires;
    private final MonotonicClock clock;
    private final Executor helper;
    private final AtomicLong lastLookNanos;
    private volatile Made<T> made;
    private volatile @Nullable List<Look> unusable;

    /**
     * Reads the files; {@link LocalFault} when they cannot be used.
     *
     * @param reader reads all the files, blocking; {@link LocalFault} with words for people when it cannot
     * @param expires the end of the certificate that is shown
     * @param helper where changed files are read; never an event loop
     */
    Reloaded(
            NodeId self,
            List<Path> files,
            Supplier<T> reader,
            Function<T, Instant> expires,
            MonotonicClock clock,
            Executor helper) {
        this.self = self;
        this.files = List.copyOf(files);
        this.reader = reader;
        this.expires = expires;
        this.clock = clock;
        this.helper = helper;
        this.lastLookNanos = new AtomicLong(clock.nanos());
        this.made = new Made<>(looks(), reader.get());
    }

    /** The present one, at once; has the files looked at when that was not done lately. */
    T current() {
        long now = clock.nanos();
        long last = lastLookNanos.get();
        if (now - last >= LOOK_EVERY.toNanos() && lastLookNanos.compareAndSet(last, now)) {
            try {
                helper.execute(this::look);
            } catch (RejectedExecutionException e) {
                // Busy or closing: the next connection asks again in a second.
                LOGGER.atDebug().addMarker(CLUSTER).log("certificate files not looked at");
            }
        }
        return made.value();
    }

    /** Blocking: reads the files now if they have changed, and hands out what is present after that. */
    synchronized T look() {
        List<Look> looks = looks();
        if (looks.equals(made.looks()) || looks.equals(unusable)) {
            return made.value();
        }
        try {
            made = new Made<>(looks, reader.get());
            unusable = null;
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue(NODE, self)
                    .addKeyValue("expires", expires.apply(made.value()))
                    .log("certificate files changed, new connections use them");
        } catch (LocalFault e) {
            unusable = looks;
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue(NODE, self)
                    .addKeyValue(REASON, e.getMessage())
                    .log("certificate files changed and cannot be used, the old ones stay in use");
        }
        return made.value();
    }

    private List<Look> looks() {
        return files.stream().map(Look::at).toList();
    }
}
