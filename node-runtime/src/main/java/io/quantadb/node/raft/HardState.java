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
 * @param regressed the latter: it was not removed by anybody, and may come back by itself
 */
public record HardState(long term, @Nullable PeerId vote, boolean disowned, boolean regressed) {
    public static final HardState NONE = new HardState(0, null, false);

    public HardState(long term, @Nullable PeerId vote, boolean disowned) {
        this(term, vote, disowned, false);
    }

    HardState inTerm(long newTerm) {
        return new HardState(newTerm, null, disowned, regressed);
    }

    HardState votedFor(PeerId candidate) {
        return new HardState(term, candidate, disowned, regressed);
    }

    /** The first reason stays: one that was removed does not come back because its log is short as well. */
    HardState asDisowned(boolean forRegress) {
        return disowned ? this : new HardState(term, vote, true, forRegress);
    }
}
