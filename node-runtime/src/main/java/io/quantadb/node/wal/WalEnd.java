package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;

/**
 * How far the valid WAL of a data directory reaches, all of it durable.
 *
 * @param timeline the timeline that {@code lastRecord} was read on
 * @param end position after the last valid record: what its writer had flushed as far as this disk can tell, rounded up
 *     to the eight bytes that records are aligned to (PostgreSQL's EndRecPtr)
 * @param lastRecord where that record starts
 * @param sure false when the directory cannot tell: then the position counts for nothing
 * @param partialEnd where the pages stop being this WAL's, never before {@code end}: between the two may lie the
 *     beginning of a record that never arrived whole. Its bytes are durable but not checked, so they count for nothing;
 *     but a flush position that a standby reported amid a record was honest when it is not beyond this
 * @param reason why reading ended there, or why the answer is not sure; for a person to read
 */
public record WalEnd(int timeline, Lsn end, Lsn lastRecord, boolean sure, Lsn partialEnd, String reason) {
    /** An end after which nothing was begun. */
    public WalEnd(int timeline, Lsn end, Lsn lastRecord, boolean sure, String reason) {
        this(timeline, end, lastRecord, sure, end, reason);
    }
}
