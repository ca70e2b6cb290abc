/**
 * Runs the Raft core: one thread owns it and everything that is decided with it, another writes to the disk, the
 * network's threads only hand over.
 *
 * <p>How one proposal passes through: {@link io.quantadb.node.consensus.RaftNode#execute} puts the caller on the core
 * thread; {@code propose} gives the command to {@code RaftCore}; the output's write goes to the log thread, its
 * messages to {@code PeerNetwork} through {@link io.quantadb.node.consensus.ControlDispatcher}; completions and
 * replies come back through the same bounded inbox; once committed, the entry is applied to the
 * {@link io.quantadb.node.consensus.StateMachine} and the proposer is told.
 */
@NullMarked
package io.quantadb.node.consensus;

import org.jspecify.annotations.NullMarked;
