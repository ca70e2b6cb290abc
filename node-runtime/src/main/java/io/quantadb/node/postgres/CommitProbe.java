package io.quantadb.node.postgres;

import io.quantadb.node.pgwire.PgConnection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One tiny commit that shows whether commits wait for the voice: a transactional WAL message, which leaves nothing behind
 * in any table. Start it while the voice is open but reports nothing new, else it may be acknowledged before anyone
 * could see it wait.
 *
 * <p>It stays under way until it is acknowledged; {@link #close} ends its session (the commit itself is done by then).
 */
public final class CommitProbe implements AutoCloseable {
    private static final Duration LONGEST = Duration.ofHours(1);

    private final PgConnection session;
    private final AgentSessions sessions;
    private final CompletableFuture<Boolean> finished = new CompletableFuture<>();

    private CommitProbe(PgConnection session, AgentSessions sessions) {
        this.session = session;
        this.sessions = sessions;
    }

    /** Sends the commit from a virtual thread of its own. */
    static CommitProbe start(AgentSessions sessions) {
        var probe = new CommitProbe(sessions.probe(), sessions);
        Thread.ofVirtual().name("postgres-probe").start(probe::commit);
        return probe;
    }

    /** Watches until the commit is seen waiting (true) or has ended without (false); null when the deadline came first. */
    public @Nullable Boolean awaitWaiting(Duration deadline) {
        long giveUp = System.nanoTime() + deadline.toNanos();
        String question = "SELECT wait_event FROM pg_stat_activity WHERE pid = " + session.backendPid();
        while (!finished.isDone() && System.nanoTime() < giveUp) {
            @Nullable String waitsFor = sessions.ask(question).singleOrNull();
            if ("SyncRep".equals(waitsFor)) {
                return true;
            }
            PostgresServer.pause(1);
        }
        return (finished.isDone() && !finished.isCompletedExceptionally()) ? false : null;
    }

    /** Completes with true when the commit was acknowledged, exceptionally when its session ended. */
    public CompletableFuture<Boolean> finished() {
        return finished.copy();
    }

    private void commit() {
        try {
            var _ = session.query("SELECT pg_logical_emit_message(true, 'quantadb', 'probe')", LONGEST);
            finished.complete(true);
        } catch (RuntimeException e) {
            finished.completeExceptionally(e);
        } finally {
            session.close();
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
