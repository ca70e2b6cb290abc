package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A COPY stream from the server: {@link #next} until it gives null, then {@link #finish}. One thread. */
public final class CopyOut {
    private final PgConnection connection;
    private final List<QueryResult> before;

    CopyOut(PgConnection connection, List<QueryResult> before) {
        this.connection = connection;
        this.before = before;
    }

    /** Result sets that came before the stream. */
    public List<QueryResult> before() {
        return before;
    }

    /**
     * The body of the next CopyData, valid until the next call, or null when the stream has ended. An error from the
     * server is thrown as {@link PgError} and leaves the connection closed.
     */
    public @Nullable ByteBuf next(Duration deadline) {
        return connection.receiveCopyData(deadline);
    }

    /** Reads what follows the stream up to ReadyForQuery, and gives the result sets in it. */
    public List<QueryResult> finish(Duration deadline) {
        return connection.finishCopy(deadline);
    }
}
