package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import org.jspecify.annotations.Nullable;

/**
 * What must be on disk before any answer that depends on it leaves.
 *
 * @param term the highest term seen
 * @param vote whom this node voted for in that term
 * @param disowned a leader has said that this incarnation was removed, or has lost entries that it had acknowledged:
 *     it neither votes nor campaigns any more and must come back as a new incarnation
 */
public record HardState(long term, @Nullable PeerId vote, boolean disowned) {
    public static final HardState NONE = new HardState(0, null, false);

    HardState inTerm(long newTerm) {
        return new HardState(newTerm, null, disowned);
    }

    HardState votedFor(PeerId candidate) {
        return new HardState(term, candidate, disowned);
    }

    HardState asDisowned() {
        return new HardState(term, vote, true);
    }
}
