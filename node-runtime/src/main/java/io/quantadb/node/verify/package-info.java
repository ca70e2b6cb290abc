/**
 * Compares what the nodes of a cluster hold, table by table, while writes go on and without holding anything up.
 *
 * <p>How one table passes through: {@link io.quantadb.node.verify.TableComparison} walks it in ranges of blocks. Of each
 * range it takes a {@link io.quantadb.node.verify.Digest} on the primary, waits until a standby has replayed what the
 * primary had flushed, and takes the standby's. Equal digests settle a range. A range in which somebody writes may differ
 * without being wrong: its row versions are read one by one, and {@link io.quantadb.node.verify.Suspects} decides, from
 * what both nodes showed at which moments, which of them are proven to differ. {@link io.quantadb.node.verify.SqlReader}
 * is the edge: read-only SQL over one session for each node and database.
 *
 * <p>Everything here runs on the thread that asked for it and waits there; nothing is shared.
 */
@NullMarked
package io.quantadb.node.verify;

import org.jspecify.annotations.NullMarked;
