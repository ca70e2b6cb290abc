package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import org.jspecify.annotations.Nullable;

/**
 * What one agent tells the leader about its node, every heartbeat and at once when something changes.
 *
 * @param generation the data directory's generation
 * @param promise the highest epoch below which this node never relays again
 * @param appliedIndex the Raft index up to which this node has applied
 * @param appliedVersion the rule version of the cluster state that this node has applied and obeys
 * @param appliedEpoch the epoch of that state
 * @param server what the server is doing
 * @param timeline the running server's timeline, 0 when unknown
 * @param everRan whether the server was seen out of recovery since this agent started
 * @param position the end of this node's WAL when it is known for sure and cannot grow, else null
 * @param replayed how far a standby has applied, {@link Lsn#NONE} when unknown
 * @param streamingEpoch the epoch of the checked stream that this standby follows now, 0 when none
 * @param flushed what it has flushed of that stream; on the primary the highest flush that it knows of
 * @param fit whether this node's disk and server are healthy enough to be primary
 * @param reason why not, empty otherwise
 */
public record LocalStatus(
        long generation,
        long promise,
        long appliedIndex,
        long appliedVersion,
        long appliedEpoch,
        ServerState server,
        int timeline,
        boolean everRan,
        @Nullable Position position,
        Lsn replayed,
        long streamingEpoch,
        Lsn flushed,
        boolean fit,
        String reason) {}
