package io.quantadb.node.postgres;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.Indeterminate;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.QueryResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The agent's own sessions with its server. One is kept open for questions about positions, another for the commit that
 * is to be seen waiting, both opened while the server is still a standby, so that a promotion waits for nothing; others
 * are opened for one purpose each.
 *
 * <p>Any thread; questions over the kept session take turns. They fail with {@link
 * io.quantadb.node.pgwire.PgUnreachable} while no server takes connections, and are asked once more, on a fresh session, when
 * the kept one turns out to be dead (they change nothing).
 */
public final class AgentSessions implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(5);

    /** What users set for everybody must not reach a superuser's session: neither their time-outs nor their functions. */
    private static final String OPTIONS =
            "-c search_path=pg_catalog -c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0";

    private final Path socket;
    private final ReentrantLock turn = new ReentrantLock();
    private @Nullable PgConnection kept;
    private @Nullable PgConnection probing;

    AgentSessions(Path socket) {
        this.socket = socket;
    }

    /** A new session as the cluster's role; the caller closes it. */
    public PgConnection open(String database, String applicationName) {
        return PgConnection.connect(
                socket,
                Map.of(
                        "user",
                        ServerConfig.AGENT_ROLE,
                        "database",
                        database,
                        "application_name",
                        applicationName,
                        "options",
                        OPTIONS),
                DEADLINE);
    }

    /** Where the next record of a primary will begin; nothing up to here is flushed for sure. */
    public Lsn insertLsn() {
        return lsn("SELECT pg_current_wal_insert_lsn()");
    }

    /** How far a primary has flushed. */
    public Lsn flushLsn() {
        return lsn("SELECT pg_current_wal_flush_lsn()");
    }

    /** How far a standby has applied; {@link Lsn#NONE} before its first record. */
    public Lsn replayLsn() {
        return lsn("SELECT pg_last_wal_replay_lsn()");
    }

    public boolean isInRecovery() {
        return "t".equals(ask("SELECT pg_is_in_recovery()").single());
    }

    /** What a server that has left recovery writes on, and how far that is flushed. */
    record Writing(int timeline, Lsn flushed) {}

    /** Null while the server is in recovery. */
    @Nullable
    Writing writing() {
        List<@Nullable String> row = ask("SELECT CASE WHEN NOT pg_is_in_recovery()"
                        + " THEN substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END,"
                        + " CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END")
                .rows()
                .getFirst();
        String timeline = row.getFirst();
        String flushed = row.getLast();
        return timeline == null || flushed == null
                ? null
                : new Writing(Integer.parseInt(timeline, 16), Lsn.parse(flushed));
    }

    /** Opens the kept sessions now. */
    public void warmUp() {
        var _ = writing();
        turn.lock();
        try {
            PgConnection before = probing;
            if (before != null) {
                before.close();
            }
            probing = null;
            probing = openProbe();
        } finally {
            turn.unlock();
        }
    }

    /** A session in which commits wait; the caller closes it. The one that was opened ahead, if it is alive. */
    PgConnection probe() {
        PgConnection ahead;
        turn.lock();
        try {
            ahead = probing;
            probing = null;
        } finally {
            turn.unlock();
        }
        if (ahead != null && ahead.isOpen()) {
            try {
                var _ = ahead.query("SELECT 1", DEADLINE);
                return ahead;
            } catch (RuntimeException e) {
                // Of a server that has ended since.
                ahead.close();
            }
        }
        return openProbe();
    }

    private PgConnection openProbe() {
        PgConnection session = open("postgres", "quantadb probe");
        try {
            var _ = session.queryAll("SET synchronous_commit = on; SET statement_timeout = 0", DEADLINE);
            return session;
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /** Any read-only question over the kept session. */
    public QueryResult ask(String sql) {
        turn.lock();
        try {
            PgConnection session = kept;
            if (session != null && session.isOpen()) {
                try {
                    return session.query(sql, DEADLINE);
                } catch (Indeterminate e) {
                    session.close();
                }
            }
            PgConnection fresh = open("postgres", "quantadb agent");
            kept = fresh;
            return fresh.query(sql, DEADLINE);
        } finally {
            turn.unlock();
        }
    }

    private Lsn lsn(String sql) {
        String value = ask(sql).singleOrNull();
        return value == null ? Lsn.NONE : Lsn.parse(value);
    }

    /** Closes the kept sessions; the next question opens another. */
    @Override
    public void close() {
        turn.lock();
        try {
            if (kept != null) {
                kept.close();
                kept = null;
            }
            if (probing != null) {
                probing.close();
                probing = null;
            }
        } finally {
            turn.unlock();
        }
    }
}
