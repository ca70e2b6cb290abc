package io.quantadb.node.postgres;

import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pgwire.PgUnreachable;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks a running server for the least that takes one of its processes: a statement that reads no table, over a session of
 * its own, which is opened once and kept. So it needs no free connection, waits for no lock that a user can hold on
 * tables, and reads and writes nothing on a disk.
 *
 * <p>One thread asks; {@link #close} may come from anywhere and ends a question under way.
 */
public final class LifeSign implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(LifeSign.class);

    private final PostgresServer server;
    private final Duration patience;
    private volatile @Nullable PgConnection kept;
    private volatile boolean closed;

    /** @param patience beyond this a session is given up and another opened: it may be that session alone that is stuck */
    public LifeSign(PostgresServer server, Duration patience) {
        this.server = server;
        this.patience = patience;
    }

    /**
     * Asks, and returns whether an answer came: anything that the server says is one, also that it takes no more sessions.
     * False when none came in time. A session that was broken off, as that with a server which has been restarted since, is
     * no silence: it is asked once more over another.
     */
    public boolean answers() {
        boolean before = kept != null;
        return answersNow() || (before && kept == null && answersNow());
    }

    private boolean answersNow() {
        PgConnection session = null;
        try {
            session = session();
            var _ = session.query("SELECT 1", patience);
            return true;
        } catch (PgError e) {
            return true;
        } catch (NodeException | PgUnreachable e) {
            LOGGER.atDebug().addKeyValue(LogKeys.REASON, e.getMessage()).log("no sign of life from postgresql");
            if (session != null) {
                session.close();
            }
            kept = null;
            return false;
        }
    }

    private PgConnection session() {
        PgConnection session = kept;
        if (session == null || !session.isOpen()) {
            session = server.sessions().open("postgres", "quantadb watch");
            kept = session;
            if (closed) {
                session.close();
            }
        }
        return session;
    }

    @Override
    public void close() {
        closed = true;
        PgConnection session = kept;
        if (session != null) {
            session.close();
        }
    }
}
