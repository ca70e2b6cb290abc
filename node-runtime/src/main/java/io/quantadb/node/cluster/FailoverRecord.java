package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/** One move of the primary, for people: when (milliseconds since 1970, by the leader's clock), from whom to whom, why. */
public record FailoverRecord(long whenMillis, @Nullable NodeId from, NodeId to, long epoch, String reason) {
    /** How the reason of a move that somebody asked for begins. */
    static final String PLANNED = "switchover";

    public boolean planned() {
        return reason.startsWith(PLANNED);
    }
}
