package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A replication stream. One thread calls {@link #next}; any thread may {@link #send}, also at the same time. */
public final class CopyBoth {
    private final PgConnection connection;

    CopyBoth(PgConnection connection) {
        this.connection = connection;
    }

    /**
     * The next message of the server, or null when it ended its side (it does so at the end of a timeline: then
     * {@link #finish}). What it holds is valid until the next call. A deadline that passes closes the connection, so it
     * should be a good deal longer than the server's keepalive interval.
     */
    public @Nullable ReplicationMessage next(Duration deadline) {
        ByteBuf body = nextBody(deadline);
        return body == null ? null : ReplicationMessage.parse(body);
    }

    /** As {@link #next}, unparsed. */
    public @Nullable ByteBuf nextBody(Duration deadline) {
        return connection.receiveCopyData(deadline);
    }

    public void send(ReplicationMessage message, Duration deadline) {
        connection.send(message.encode(), deadline);
    }

    /** Ends our side after the server has ended its own; gives (next timeline, its start) where it says so. */
    public List<QueryResult> finish(Duration deadline) {
        connection.send(Messages.copyDone(), deadline);
        return connection.finishCopy(deadline);
    }
}
