/**
 * What Raft has promised, on disk: the log in preallocated segments, the hard state and other small values in
 * double-slot files, snapshots; all checksummed sector by sector, so that a torn write, a flipped bit and a full disk
 * end in a clear state and never in a wrong answer.
 *
 * <p>How one write passes through: the consensus runtime hands a {@link io.quantadb.node.raft.DiskWrite} to its log
 * thread, which calls {@code RaftStorage.write}: hard state first, then a snapshot, then the log batch with one
 * {@code fdatasync}; only then is it reported as written.
 */
@NullMarked
package io.quantadb.node.raftlog;

import org.jspecify.annotations.NullMarked;
