package io.quantadb.node.verify;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.List;

/** What is asked of one node about one database. Every call waits, and fails with a {@link ReadFailure}. */
interface NodeReader extends AutoCloseable {
    NodeId node();

    /** The tables of the database, by name; asked of the primary. */
    List<TableRef> tables();

    Digest digest(TableRef table, BlockRange range);

    Reading rows(TableRef table, BlockRange range);

    /** On the primary: up to here everything is written that a reading before this call has shown. */
    Lsn written();

    /** On the primary: up to here everything is on its disk, and so may be on a standby's. */
    Lsn flushed();

    /**
     * On the primary: after this time everything that {@link #written} covered and that can make a difference has been
     * flushed, also what nobody waits for (commits with {@code synchronous_commit=off}).
     */
    Duration flushDelay();

    /** On a standby: up to here everything is replayed, and seen by readings after this call. */
    Lsn replayed();

    @Override
    void close();
}
