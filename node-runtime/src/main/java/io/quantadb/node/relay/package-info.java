/**
 * The WAL relay: every WAL byte and every acknowledgement between nodes crosses it.
 *
 * <p>One WAL record's way: the primary's walsender writes it to the {@link io.quantadb.node.relay.ServedStream} that
 * the primary's agent keeps for a member; the stream follows its position
 * ({@link io.quantadb.node.relay.ReplicationTracker}) and passes it over the peer stream to the member's
 * {@link io.quantadb.node.relay.Follower}, which counts it as delivered and hands it to the local WAL receiver through
 * the {@link io.quantadb.node.relay.ReceiverSession}. The receiver flushes it and says so; the status goes back the
 * same way, capped at each agent by what that very stream delivered. The primary's agent notes it in
 * {@link io.quantadb.node.relay.Members}, asks {@link io.quantadb.node.cluster.VoiceRule} how far the rule is
 * satisfied, and the {@link io.quantadb.node.relay.Voice} reports that position to PostgreSQL, which releases the
 * commits that waited for it.
 *
 * <p>A member may be fed by a standby in the same way: its agent's {@link io.quantadb.node.relay.ServedStreams} lets in whom
 * it is told to, and has no voice, so that what comes back moves a slot and counts for nothing else.
 *
 * <p>All state belongs to one event loop, the relay's loop; {@link io.quantadb.node.relay.WalRelay} hands every call
 * over to it, and bytes of channels that live on other loops are handed over too.
 */
@NullMarked
package io.quantadb.node.relay;

import org.jspecify.annotations.NullMarked;
