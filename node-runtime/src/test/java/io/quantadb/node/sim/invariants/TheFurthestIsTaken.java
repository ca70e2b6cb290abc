package io.quantadb.node.sim.invariants;

/**
 * C of protocol.md, and D where nobody is named: of those that can be reached the furthest ahead is promoted. Nobody who was
 * well all the time holds more of what was shown.
 */
public final class TheFurthestIsTaken {
    public void onTaken(String right, String node, int held, String other, int heldByOther) {
        if (heldByOther > held) {
            throw new AssertionError("%s: %s is taken with %d of the records shown, and %s is well and has %d"
                    .formatted(right, node, held, other, heldByOther));
        }
    }
}
