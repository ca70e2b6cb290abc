/**
 * PostgreSQL's files as the agent reads them while no server runs, and the copying of a whole data directory.
 *
 * <p>How a question passes through: "how far does this directory's WAL reach?" goes to
 * {@link io.quantadb.node.wal.WalReader}, which reads {@link io.quantadb.node.wal.ControlFile} for where to begin,
 * {@link io.quantadb.node.wal.TimelineHistory} for the lineage, then record after record from the segments, checks each
 * one's checksum and makes the files durable before it answers with a {@link io.quantadb.node.wal.WalEnd}. "Give me a
 * copy" goes to {@link io.quantadb.node.wal.BaseBackupClient}, which streams a server's BASE_BACKUP into an empty
 * directory that {@link io.quantadb.node.wal.CloneMarker} marks as unfinished until the last file is durable. Around a
 * rewind, {@link io.quantadb.node.wal.DivergedWal} keeps what would be lost, and {@link io.quantadb.node.wal.RewoundWal}
 * makes whole what pg_rewind leaves.
 *
 * <p>All of it blocks and belongs on virtual threads; nothing here keeps state between calls.
 */
@NullMarked
package io.quantadb.node.wal;

import org.jspecify.annotations.NullMarked;
