package io.quantadb.node.postgres;

import io.quantadb.node.common.LogKeys;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of a postmaster, from spawn until all of its processes are gone. Three threads belong to it: one reads its log
 * (a platform thread, since reading a pipe blocks one), one waits for its exit, one watches it become ready.
 *
 * <p>Order of what is told: ready at most once and only before exit; exit exactly once; then {@link #gone}.
 */
final class RunningServer {
    private static final Logger LOG = LoggerFactory.getLogger(RunningServer.class);
    private static final long POLL_MILLIS = 2;
    private static final long SLOW_POLL_MILLIS = 20;
    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final Duration LAST_WORDS = Duration.ofMillis(500);
    private static final long TROUBLE_LATELY_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Process process;
    private final StartMode mode;
    private final Path dataDirectory;
    private final ServerListener listener;
    private final AgentSessions sessions;
    private final ServerLog log;
    private final CompletableFuture<ServerExit> exited = new CompletableFuture<>();
    private final CompletableFuture<Void> gone = new CompletableFuture<>();
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    /** Held while the listener is told, so that nobody hears of a server becoming ready that he knows has ended. */
    private final ReentrantLock telling = new ReentrantLock();

    private volatile boolean stopping;
    private volatile @Nullable Thread logReader;

    RunningServer(
            Process process, StartMode mode, Path dataDirectory, ServerListener listener, AgentSessions sessions) {
        this.process = process;
        this.mode = mode;
        this.dataDirectory = dataDirectory;
        this.listener = listener;
        this.sessions = sessions;
        this.log = new ServerLog(listener::onWaitCancelled);
    }

    void watch() {
        logReader = Thread.ofPlatform()
                .daemon()
                .name("postgres-log-" + pid())
                .start(() -> log.run(process.getInputStream(), process::isAlive));
        Thread.ofVirtual().name("postgres-exit-" + pid()).start(this::awaitExit);
        Thread.ofVirtual().name("postgres-ready-" + pid()).start(this::awaitReady);
    }

    /** See {@link ServerLog#isReadUp}. */
    boolean isLogReadUp() {
        return log.isReadUp();
    }

    long pid() {
        return process.pid();
    }

    StartMode mode() {
        return mode;
    }

    boolean running() {
        return !exited.isDone() && process.isAlive();
    }

    boolean isReady() {
        return ready.isDone() && running();
    }

    void signal(int signal) {
        if (process.isAlive()) {
            Signals.send(process.pid(), signal);
        }
    }

    void stopping() {
        stopping = true;
    }

    boolean isStopping() {
        return stopping;
    }

    CompletableFuture<ServerExit> exited() {
        return exited;
    }

    /** Completes when no process of this server is left; exceptionally when they cannot be killed. */
    CompletableFuture<Void> gone() {
        return gone;
    }

    /** Completes when it takes connections, exceptionally when it ended before. */
    CompletableFuture<Void> ready() {
        return ready;
    }

    List<String> lastLines() {
        Thread reader = logReader;
        if (!running() && reader != null) {
            try {
                // Its exit is known before its last words have been read.
                reader.join(LAST_WORDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return log.lastLines();
    }

    /** See {@link PostgresServer#trouble}. */
    String trouble() {
        ServerLog.Trouble last = log.trouble();
        boolean counts =
                last != null && (running() ? System.nanoTime() - last.atNanos() < TROUBLE_LATELY_NANOS : !stopping);
        return counts && last != null ? last.words() : "";
    }

    private void awaitExit() {
        int code = exitCode();
        var exit = new ServerExit(process.pid(), code, stopping);
        exited.complete(exit);
        LOG.atInfo()
                .addMarker(LogKeys.CLUSTER)
                .addKeyValue(LogKeys.PID, exit.pid())
                .addKeyValue(LogKeys.REASON, exit.how())
                .addKeyValue("asked", exit.asked())
                .log("postgresql ended");
        telling.lock();
        try {
            listener.onExit(exit);
        } catch (RuntimeException e) {
            LOG.atError().addMarker(LogKeys.CLUSTER).setCause(e).log("the end of postgresql could not be handled");
        } finally {
            telling.unlock();
        }
        try {
            if (code != 0) {
                new ServerProcesses(dataDirectory).endAll(ServerConfig.LEFTOVER_PATIENCE);
            }
            // A postmaster that ends well has waited for the last of its children.
            gone.complete(null);
        } catch (RuntimeException e) {
            gone.completeExceptionally(e);
        }
    }

    private int exitCode() {
        while (true) {
            try {
                return process.waitFor();
            } catch (InterruptedException e) {
                // Nobody interrupts this thread, and the exit must be told.
            }
        }
    }

    private void awaitReady() {
        long start = System.nanoTime();
        long nextWord = start + PROGRESS_NANOS;
        while (running()) {
            Optional<PidFile> pidFile = PidFile.read(dataDirectory);
            if (pidFile.isPresent()
                    && pidFile.get().pid() == pid()
                    && pidFile.get().takesConnections()) {
                becomeReady(start);
                return;
            }
            long now = System.nanoTime();
            if (now >= nextWord) {
                nextWord = now + PROGRESS_NANOS;
                LOG.atInfo()
                        .addMarker(LogKeys.CLUSTER)
                        .addKeyValue(LogKeys.PID, pid())
                        .addKeyValue("seconds", TimeUnit.NANOSECONDS.toSeconds(now - start))
                        .addKeyValue("mode", mode)
                        .log("postgresql is still recovering");
            }
            PostgresServer.pause(now - start < PROGRESS_NANOS ? POLL_MILLIS : SLOW_POLL_MILLIS);
        }
        ready.completeExceptionally(new IllegalStateException("ended before it took connections"));
    }

    private void becomeReady(long start) {
        try {
            sessions.warmUp();
            Promoter.warmUp();
        } catch (RuntimeException e) {
            // It will be opened when it is first needed.
            LOG.atDebug().addKeyValue(LogKeys.PID, pid()).setCause(e).log("no session with the server yet");
        }
        telling.lock();
        try {
            if (exited.isDone()) {
                // It ended while the session was opened: a full disk does that to every start.
                ready.completeExceptionally(new IllegalStateException("ended as soon as it took connections"));
                return;
            }
            ready.complete(null);
            LOG.atInfo()
                    .addMarker(LogKeys.CLUSTER)
                    .addKeyValue(LogKeys.PID, pid())
                    .addKeyValue("mode", mode)
                    .addKeyValue(
                            "took_ms",
                            Duration.ofNanos(System.nanoTime() - start).toMillis())
                    .log("postgresql is ready");
            listener.onReady(mode);
        } finally {
            telling.unlock();
        }
    }
}
