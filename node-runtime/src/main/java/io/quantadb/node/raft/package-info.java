/**
 * The consensus core: Raft as a pure state machine, with no clock, thread, randomness or I/O of its own.
 *
 * <p>How one command passes through: {@link io.quantadb.node.raft.RaftCore#propose} appends an entry to the log
 * view and stages it for the disk; {@link io.quantadb.node.raft.RaftCore#drain} hands out the disk write and, at the
 * same time, the {@link io.quantadb.node.raft.RaftMessage.Append} for each member. When the caller reports the write
 * with {@code written}, the leader counts itself; each {@code AppendReply}, which left its member only after that
 * member's own flush, counts that member. Once a majority of the voters is counted and the entry bears the leader's
 * own term, the next {@code drain} lists it as committed, and a heartbeat tells the members.
 *
 * <p>Who does what: {@code RaftCore} keeps the transitions between roles; {@code Election} the timers, pre-votes and
 * votes; {@code Following} what a follower does with a leader's messages; {@code Leadership}, which lives as long as
 * one term of office, replication, lease, transfer and read index; {@code LogView}, {@code Memberships},
 * {@code Progress}, {@code Lease} and {@code Outbox} hold the data. {@link io.quantadb.node.raft.RaftRules} gathers
 * the single lines on which safety hangs, so that a test can take one away and see the simulation go red.
 *
 * <p>Sources: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (the sections are quoted as
 * Raft §), and Ongaro's dissertation (quoted as thesis §).
 */
@NullMarked
package io.quantadb.node.raft;

import org.jspecify.annotations.NullMarked;
