package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.Indeterminate;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pgwire.PgUnreachable;
import io.quantadb.node.wal.ControlFile;
import io.quantadb.node.wal.TimelineHistory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes a running standby out of recovery onto a given timeline.
 *
 * <ol>
 *   <li>reserve the numbers below the timeline ({@link Timelines#reserve});
 *   <li>write the file {@code promote} and signal the postmaster, again every 20 ms: one that comes while the server is
 *       still starting is lost;
 *   <li>ask, over the session that was opened on the standby, until it has left recovery;
 *   <li>check that the timeline was taken and read from its history file where it forked off.
 * </ol>
 */
final class Promoter {
    static final String PROMOTE_SIGNAL = "promote";

    private static final long RESEND_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Path dataDirectory;
    private final ServerUser user;
    private final AgentSessions sessions;

    Promoter(Path dataDirectory, ServerUser user, AgentSessions sessions) {
        this.dataDirectory = dataDirectory;
        this.user = user;
        this.sessions = sessions;
    }

    /** Runs what a promotion runs, in memory: the first one on a cold JVM would be slower by that. */
    static void warmUp() {
        TimelineHistory history = TimelineHistory.parse(2, "1\t0/1000000\twarm-up\n");
        Lsn fork = history.parents().getLast().switchPoint();
        var _ = new Promotion(2, 1, fork, Lsn.max(fork, Lsn.parse("0/1000001")), Duration.ZERO);
    }

    /** {@link LocalFault} when the server ends, overruns the deadline, or took another timeline. */
    Promotion promote(RunningServer server, int timeline, Duration deadline) {
        var timelines = new Timelines(dataDirectory, user);
        timelines.reserve(ControlFile.read(dataDirectory).checkpointTimeline(), timeline);
        long start = System.nanoTime();
        long giveUp = start + deadline.toNanos();
        long lastSignal = start - RESEND_NANOS;
        while (true) {
            long now = System.nanoTime();
            if (now - lastSignal >= RESEND_NANOS) {
                signal(server);
                lastSignal = now;
            }
            AgentSessions.@Nullable Writing writing = writingIfReachable();
            if (writing != null) {
                return check(timelines, timeline, writing, Duration.ofNanos(System.nanoTime() - start));
            }
            if (!server.running()) {
                throw new LocalFault("the server ended while it was promoted to timeline " + timeline);
            }
            if (System.nanoTime() >= giveUp) {
                throw new LocalFault("the server did not leave recovery within %s of the signal".formatted(deadline));
            }
            PostgresServer.pause(1);
        }
    }

    private void signal(RunningServer server) {
        Path file = dataDirectory.resolve(PROMOTE_SIGNAL);
        try {
            if (!Files.exists(file)) {
                // Complete before it has its name: the server may take it away at any moment after.
                Path made = dataDirectory.resolve(PROMOTE_SIGNAL + ".new");
                Files.deleteIfExists(made);
                Files.createFile(made);
                user.own(made);
                Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new LocalFault("cannot write %s: %s".formatted(file, IoReason.of(e)), e);
        }
        server.signal(Signals.USR1);
    }

    private AgentSessions.@Nullable Writing writingIfReachable() {
        try {
            return sessions.writing();
        } catch (PgUnreachable | PgError | Indeterminate e) {
            // A standby that is not consistent yet takes no connections; it can be promoted all the same.
            return null;
        }
    }

    private Promotion check(Timelines timelines, int wanted, AgentSessions.Writing writing, Duration took) {
        try {
            // One that was written while the server already left recovery would promote the next standby start.
            Files.deleteIfExists(dataDirectory.resolve(PROMOTE_SIGNAL));
        } catch (IOException e) {
            throw new LocalFault("cannot remove the promotion's signal file: " + IoReason.of(e), e);
        }
        if (writing.timeline() != wanted) {
            throw new LocalFault("the server took timeline %d where %d was issued: it must not serve"
                    .formatted(writing.timeline(), wanted));
        }
        TimelineHistory.Parent parent = timelines.parentOf(wanted);
        Lsn fork = parent.switchPoint();
        return new Promotion(wanted, parent.timeline(), fork, Lsn.max(fork, writing.flushed()), took);
    }
}
