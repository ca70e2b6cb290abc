package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one PostgreSQL server of this node, as a direct child of the agent.
 *
 * <pre>
 *   STOPPED --start--> STARTING --takes connections--> READY --stop, crash--> STOPPED
 *                          \------------stop, crash----------------------------^
 * </pre>
 *
 * <p>All methods block, for virtual threads; one owner calls start and promote, anybody may stop at any time. It dies with
 * the agent where the system has parent-death signals; a server that an earlier agent left is stopped (at once, not
 * adopted: its log and exit could not be heard) before a start. What it is told about its children goes to the {@link
 * ServerListener}.
 */
public final class PostgresServer {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresServer.class);

    /** A terabyte: all of it. */
    private static final String WAL_KEPT = "wal_keep_size=1048576";

    private final ServerConfig config;
    private final ServerListener listener;
    private final DataDirectory directory;
    private final AgentSessions sessions;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable RunningServer current;

    /** @param clean whether it shut down in order within the deadline, so that nothing needs recovery */
    public record Stopped(boolean clean, Duration took) {}

    public PostgresServer(ServerConfig config, ServerListener listener) {
        this.config = config;
        this.listener = listener;
        this.directory = new DataDirectory(config.dataDirectory(), config.user());
        this.sessions = new AgentSessions(config.socket());
        Signals.warmUp();
    }

    /**
     * Starts the server and returns once its process runs; {@link ServerListener#onReady} or {@link #awaitReady} tell when
     * it takes connections. {@link LocalFault} when it cannot be started, {@link IllegalStateException} when one runs.
     */
    public void start(StartMode mode) {
        lock.lock();
        try {
            RunningServer before = current;
            if (before != null && before.running()) {
                throw new IllegalStateException("the server is running already");
            }
            // Whoever sweeps up after the one before must be through, or it would take the new one for a leftover.
            awaitGone(ServerConfig.LEFTOVER_PATIENCE.multipliedBy(2));
            endLeftovers();
            prepareFiles(mode);
            var builder = new ProcessBuilder(config.user().command("QUIT", ServerSettings.commandLine(config)))
                    .directory(Path.of("/").toFile())
                    .redirectErrorStream(true)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
            ToolRun.cleanEnvironment(builder.environment());
            Process process = ChildSpawner.spawn(builder);
            var server = new RunningServer(process, mode, config.dataDirectory(), listener, sessions);
            current = server;
            LOG.atInfo()
                    .addMarker(LogKeys.CLUSTER)
                    .addKeyValue(LogKeys.PID, server.pid())
                    .addKeyValue("mode", mode)
                    .addKeyValue("version", config.binaries().version())
                    .log("postgresql started");
            server.watch();
        } finally {
            lock.unlock();
        }
    }

    /** What it complained of; all of its last words when it did not. */
    private static String why(List<String> lastLines) {
        List<String> complaints = lastLines.stream()
                .filter(line -> !line.contains("LOG:  00000:"))
                .toList();
        return String.join(" / ", complaints.isEmpty() ? lastLines : complaints);
    }

    /**
     * What keeps it from going on, in its own words: the last PANIC or FATAL message when it ended unasked, or one of the
     * last ten seconds of a process that serves no client, such as the WAL receiver; empty otherwise. Any thread.
     */
    public String trouble() {
        RunningServer server = current;
        return server == null ? "" : server.trouble();
    }

    /** Waits until it takes connections; {@link LocalFault} with its last words when it ended or overran. */
    public void awaitReady(Duration deadline) {
        RunningServer server = requireCurrent();
        try {
            server.ready().get(deadline.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw new LocalFault("postgresql ended while it was starting: " + why(server.lastLines()), e);
        } catch (TimeoutException e) {
            throw new LocalFault(
                    "postgresql did not take connections within %s: %s"
                            .formatted(deadline, String.join(" / ", server.lastLines())),
                    e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /**
     * Stops it; nothing to do when none runs. After the deadline every one of its processes is killed by id. Returns when
     * all are gone.
     */
    public Stopped stop(StopMode mode, Duration deadline) {
        long start = System.nanoTime();
        RunningServer server = current;
        if (server == null) {
            return new Stopped(true, Duration.ZERO);
        }
        server.stopping();
        // It ends its sessions by itself.
        server.signal(mode.signal());
        boolean clean = false;
        try {
            ServerExit exit = server.exited().get(deadline.toNanos(), TimeUnit.NANOSECONDS);
            clean = mode == StopMode.FAST && exit.exitCode() == 0;
        } catch (TimeoutException e) {
            LOG.atWarn()
                    .addMarker(LogKeys.CLUSTER)
                    .addKeyValue(LogKeys.PID, server.pid())
                    .addKeyValue("deadline", deadline)
                    .log("postgresql did not stop in time and is killed");
            killAll(server);
        } catch (ExecutionException e) {
            throw new LocalFault("cannot tell how the server ended", e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        // Not before: a question that a server which stands still leaves open would put off its end.
        sessions.close();
        awaitGone(ServerConfig.LEFTOVER_PATIENCE.multipliedBy(2));
        return new Stopped(clean, Duration.ofNanos(System.nanoTime() - start));
    }

    /**
     * Whether all that the running server had logged before this call has been looked at, so that a cancelled wait in it
     * has been told to {@link ServerListener#onWaitCancelled}. Any thread, no waiting; true when nothing runs.
     */
    public boolean isLogReadUp() {
        RunningServer server = current;
        return server == null || server.isLogReadUp();
    }

    private void killAll(RunningServer server) {
        lock.lock();
        try {
            // Under the lock no other server can be starting whose processes would be listed too.
            if (current == server) {
                server.signal(Signals.KILL);
                new ServerProcesses(config.dataDirectory()).list().forEach(pid -> Signals.send(pid, Signals.KILL));
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until no process of the server is left after it ended: from then on the WAL on its disk is final. Returns at
     * once when it was never started.
     */
    public void awaitGone(Duration deadline) {
        RunningServer server = current;
        if (server == null) {
            return;
        }
        try {
            server.gone().get(deadline.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw new LocalFault(String.valueOf(e.getCause()), e);
        } catch (TimeoutException e) {
            throw new LocalFault("postgresql's processes are not gone after " + deadline, e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /**
     * Ends what an earlier agent left on this data directory, server or orphans, without starting anything: needed before
     * WAL is read, or the directory replaced, after the agent was killed.
     */
    public void endLeftovers() {
        lock.lock();
        try {
            if (isRunning()) {
                throw new IllegalStateException("the server is running, and is no leftover");
            }
            removeLeftovers();
        } catch (IOException e) {
            throw new LocalFault("cannot remove what an earlier server left: " + IoReason.of(e), e);
        } finally {
            lock.unlock();
        }
    }

    private void removeLeftovers() throws IOException {
        RunningServer before = current;
        // Looked for after the last server's end, and none has been started since: the directory is locked for this
        // agent.
        boolean swept =
                before != null && before.gone().isDone() && !before.gone().isCompletedExceptionally();
        var processes = new ServerProcesses(config.dataDirectory());
        List<Long> left = swept ? List.of() : processes.list();
        if (!left.isEmpty()) {
            LOG.atWarn()
                    .addMarker(LogKeys.CLUSTER)
                    .addKeyValue("pids", left)
                    .log("ending the server that an earlier agent left");
            processes.stopLeftovers(ServerConfig.LEFTOVER_PATIENCE);
        }
        Files.deleteIfExists(config.dataDirectory().resolve(PidFile.NAME));
        Files.deleteIfExists(config.socket());
        Files.deleteIfExists(config.socket().resolveSibling(config.socket().getFileName() + ".lock"));
    }

    /**
     * Brings a directory whose server did not stop in order to where it would have stopped, as a rewind needs it, with
     * nobody able to connect: PostgreSQL's single-user mode, as primary, that ends at once. WAL that a rewind reads is
     * not removed. {@link LocalFault} with its last words when it cannot.
     */
    public void recoverAlone(Duration deadline) {
        lock.lock();
        try {
            if (isRunning()) {
                throw new IllegalStateException("the server is running");
            }
            prepareFiles(StartMode.PRIMARY);
            var command = new ArrayList<>(ServerSettings.commandLine(config));
            command.add(1, "--single");
            command.addAll(List.of("-c", WAL_KEPT, "postgres"));
            ToolRun run = ToolRun.of(config.user().command("KILL", command), "", Path.of("/"), deadline);
            if (!run.succeeded()) {
                throw new LocalFault("postgresql could not recover %s on its own: %s"
                        .formatted(config.dataDirectory(), run.lastWords()));
            }
        } finally {
            lock.unlock();
        }
    }

    /** Promotes the running standby to exactly this timeline; see {@link Promoter}. */
    public Promotion promote(int timeline, Duration deadline) {
        RunningServer server = requireCurrent();
        if (server.mode() != StartMode.STANDBY) {
            throw new IllegalStateException("the server was not started as a standby");
        }
        Promotion done =
                new Promoter(config.dataDirectory(), config.user(), sessions).promote(server, timeline, deadline);
        LOG.atInfo()
                .addMarker(LogKeys.FAILOVER)
                .addKeyValue(LogKeys.TIMELINE, done.timeline())
                .addKeyValue(LogKeys.LSN, done.forkLsn())
                .addKeyValue("took_ms", done.took().toMillis())
                .log("postgresql promoted");
        return done;
    }

    /** Sends a commit that shows whether commits wait for the voice. The caller closes it. */
    public CommitProbe probeCommit() {
        return CommitProbe.start(sessions);
    }

    /** The agent's sessions with this server; they outlive its restarts. */
    public AgentSessions sessions() {
        return sessions;
    }

    public ServerConfig config() {
        return config;
    }

    /** Whether a postmaster runs, ready or not. */
    public boolean isRunning() {
        RunningServer server = current;
        return server != null && server.running();
    }

    /** Whether it runs and has taken connections. */
    public boolean isReady() {
        RunningServer server = current;
        return server != null && server.isReady();
    }

    /**
     * The process id of a server that ought to answer questions now; 0 when none runs, or it recovers and takes no
     * connections yet, or is being stopped. Any thread, at once.
     */
    public long answeringPid() {
        RunningServer server = current;
        return server != null && server.isReady() && !server.isStopping() ? server.pid() : 0;
    }

    /** The postmaster's process id; 0 when none runs. */
    public long pid() {
        RunningServer server = current;
        return server != null && server.running() ? server.pid() : 0;
    }

    private void prepareFiles(StartMode mode) {
        ServerUser user = config.user();
        user.privateDirectory(config.privateDirectory());
        user.privateDirectory(config.socketDirectory());
        try {
            PrivateFile.write(config.configFile(), ServerSettings.configFile(config), user);
            PrivateFile.write(config.hbaFile(), ServerSettings.hbaFile(config), user);
            PrivateFile.write(config.identFile(), ServerSettings.identFile(config), user);
        } catch (IOException e) {
            throw new LocalFault(
                    "cannot write PostgreSQL's configuration in %s: %s"
                            .formatted(config.privateDirectory(), IoReason.of(e)),
                    e);
        }
        directory.prepareStart(mode);
        if (mode == StartMode.STANDBY) {
            new Timelines(config.dataDirectory(), user).dropDangling();
        }
    }

    private RunningServer requireCurrent() {
        RunningServer server = current;
        if (server == null) {
            throw new IllegalStateException("the server was not started");
        }
        return server;
    }

    private static LocalFault interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new LocalFault("interrupted while waiting for postgresql", e);
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }
}
