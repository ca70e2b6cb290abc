package io.quantadb.node.sim.invariants;

import java.util.HashMap;
import java.util.Map;

/**
 * ADR 0024: the primary is not moved to and fro. The first move away from a living one for a cause is made at once, the next
 * for the same cause no sooner than the delay that is set, each further one no sooner than twice the one before. The same
 * holds, by ADR 0011, of epochs that are left since they cannot be released.
 */
public final class MovesAreSpaced {
    private record Last(int moves, long atMillis) {}

    private final Map<String, Last> byCause = new HashMap<>();

    /** By somebody's word, or since what was tried has helped: all begins anew. */
    public void onEnded() {
        byCause.clear();
    }

    /** @param delayMillis after the first move */
    public void onMove(String cause, long atMillis, long delayMillis) {
        Last last = byCause.get(cause);
        int moves = last == null ? 0 : last.moves;
        if (last != null) {
            long least = Math.min(delayMillis << Math.min(20, moves - 1), 300_000);
            long passed = atMillis - last.atMillis;
            if (passed < least) {
                throw new AssertionError("moves: number %d for '%s' comes %d ms after the one before, and may after %d"
                        .formatted(moves + 1, cause, passed, least));
            }
        }
        byCause.put(cause, new Last(moves + 1, atMillis));
    }
}
