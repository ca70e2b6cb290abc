package io.quantadb.node.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;
import org.slf4j.event.Level;

/**
 * Reads the server's log from the pipe, hands it to the agent's logger {@code postgres} line by line, and watches for the
 * cancelled wait.
 *
 * <p>With {@code log_error_verbosity=verbose} every message is followed by a line that names the routine that raised it
 * ({@code LOCATION:  SyncRepWaitForLSN, syncrep.c:331}), whatever the language; these lines are looked at and not handed
 * on. No name that a client chose stands before the severity, so that none can hide or feign it. Bounds: a line is cut at {@value #LINE_BYTES_MAX} bytes, a server process's message is logged once in ten seconds, and at most {@value #LINES_PER_SECOND_MAX} lines a
 * second are logged, the rest counted; every line is looked at all the same, so that the server never waits for the
 * logger. Confined to the thread that runs {@link #run}.
 */
final class ServerLog {
    /** The process, and whether it serves a client. */
    static final String LINE_PREFIX = "[%p] %qclient ";

    static final int LINE_BYTES_MAX = 8192;
    static final int LINES_PER_SECOND_MAX = 500;
    static final int KEPT_LINES = 20;

    private static final int LATELY_TEXTS_MAX = 32;
    private static final int TROUBLE_CHARS_MAX = 300;
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long REPEAT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final Logger LOG = LoggerFactory.getLogger("postgres");
    private static final Marker POSTGRES = MarkerFactory.getMarker("postgres");
    private static final Pattern SEVERITY = Pattern.compile(
            "^\\[\\d+] (client )?(DEBUG\\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|QUERY|STATEMENT|LOCATION|BACKTRACE): {1,2}");

    private final Runnable onWaitCancelled;
    private final Deque<String> last = new ArrayDeque<>();
    private final Map<String, Long> lately = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
            return size() > LATELY_TEXTS_MAX;
        }
    };
    private final byte[] line = new byte[LINE_BYTES_MAX];
    private int length;
    private volatile boolean reading;
    private volatile @Nullable InputStream source;
    private volatile @Nullable Thread reader;
    private volatile @Nullable Trouble trouble;
    private boolean repeated;
    private Level level = Level.INFO;
    private long second;
    private int linesThisSecond;
    private long dropped;

    /** A message after which a process of the server, or all of it, did not go on. */
    record Trouble(String words, long atNanos) {}

    ServerLog(Runnable onWaitCancelled) {
        this.onWaitCancelled = onWaitCancelled;
    }

    /** Reads until the pipe ends, which is when the last process of the server is gone. */
    void run(InputStream pipe) {
        run(pipe, () -> false);
    }

    /**
     * As the other. While the postmaster lives, bytes are only read once they are seen to be there and {@code reading} is
     * set, which is what {@link #isReadUp} rests on: they are in the pipe, or being looked at, or have been.
     */
    void run(InputStream pipe, BooleanSupplier postmasterLives) {
        reader = Thread.currentThread();
        source = pipe;
        byte[] bytes = new byte[1 << 16];
        try (pipe) {
            while (postmasterLives.getAsBoolean()) {
                if (pipe.available() == 0) {
                    LockSupport.parkNanos(LOOK_NANOS);
                    continue;
                }
                reading = true;
                take(bytes, pipe.read(bytes, 0, Math.min(bytes.length, pipe.available())));
                reading = false;
            }
            source = null;
            // Whoever has asked meanwhile is done when the pipe's lock is taken for a read that may wait.
            LockSupport.parkNanos(LOOK_NANOS);
            for (int n = pipe.read(bytes); n >= 0; n = pipe.read(bytes)) {
                take(bytes, n);
            }
        } catch (IOException e) {
            // The pipe is torn down with the process.
        } finally {
            source = null;
            reading = false;
        }
        if (length > 0) {
            onLine(new String(line, 0, length, StandardCharsets.UTF_8), System.nanoTime());
        }
    }

    private void take(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            if (bytes[i] == '\n') {
                onLine(new String(line, 0, length, StandardCharsets.UTF_8), System.nanoTime());
                length = 0;
            } else if (length < LINE_BYTES_MAX) {
                line[length++] = bytes[i];
            }
        }
    }

    /**
     * Whether everything that a living server had logged before this call has been looked at. A backend logs that its
     * wait was cancelled before it answers, so an answer that is in hand when this is true hides no such line. Any
     * thread, no waiting; hurries the reader when it is false.
     */
    boolean isReadUp() {
        InputStream pipe = source;
        try {
            // In this order: whoever takes the bytes says so before.
            if (pipe == null || (pipe.available() == 0 && !reading)) {
                return true;
            }
        } catch (IOException e) {
            return true;
        }
        LockSupport.unpark(reader);
        return false;
    }

    void onLine(String line, long nowNanos) {
        Matcher m = SEVERITY.matcher(line);
        if (m.find()) {
            String severity = m.group(2);
            if (severity.equals("LOCATION")) {
                if (line.startsWith("SyncRepWaitForLSN,", m.end())) {
                    onWaitCancelled.run();
                }
                return;
            }
            boolean client = m.group(1) != null;
            if (severity.equals("PANIC") || (severity.equals("FATAL") && !client)) {
                String words = line.substring(m.start(2));
                trouble = new Trouble(words.substring(0, Math.min(TROUBLE_CHARS_MAX, words.length())), nowNanos);
            }
            level = levelOf(severity, level);
            repeated = !client && saidLately(line.substring(m.start(2)), nowNanos);
        }
        if (repeated) {
            return;
        }
        keep(line);
        if (admit(nowNanos)) {
            LOG.atLevel(level).addMarker(POSTGRES).log(line);
        }
    }

    /**
     * A WAL receiver that finds no upstream says so fifty times a second. Lines that do not begin a message share the
     * fate of the one before.
     */
    private boolean saidLately(String text, long nowNanos) {
        Long before = lately.get(text);
        if (before != null && nowNanos - before < REPEAT_NANOS) {
            return true;
        }
        lately.put(text, nowNanos);
        return false;
    }

    /** The last trouble of this run, a client's own excepted; null when there was none. Any thread. */
    @Nullable
    Trouble trouble() {
        return trouble;
    }

    /** The last lines, for the message of a start that failed. Any thread. */
    List<String> lastLines() {
        synchronized (last) {
            return List.copyOf(last);
        }
    }

    private void keep(String line) {
        synchronized (last) {
            if (last.size() == KEPT_LINES) {
                last.removeFirst();
            }
            last.addLast(line);
        }
    }

    private boolean admit(long nowNanos) {
        long now = Math.floorDiv(nowNanos, 1_000_000_000L);
        if (now != second) {
            second = now;
            linesThisSecond = 0;
            if (dropped > 0) {
                LOG.atWarn()
                        .addMarker(POSTGRES)
                        .addKeyValue("lines", dropped)
                        .log("lines of the server's log were left out");
                dropped = 0;
            }
        }
        if (linesThisSecond >= LINES_PER_SECOND_MAX) {
            dropped++;
            return false;
        }
        linesThisSecond++;
        return true;
    }

    /** A client's error is no fault of the node; DETAIL and the like belong to the line before. */
    private static Level levelOf(String severity, Level before) {
        return switch (severity) {
            case "LOG", "INFO", "NOTICE" -> Level.INFO;
            case "WARNING", "ERROR", "FATAL" -> Level.WARN;
            case "PANIC" -> Level.ERROR;
            case "DETAIL", "HINT", "CONTEXT", "QUERY", "STATEMENT", "BACKTRACE" -> before;
            default -> Level.DEBUG;
        };
    }
}
