package io.quantadb.node.sim.invariants;

/** Whom an operator has fenced is not made primary before it is let free, by whatever right. */
public final class FencedAreNotPromoted {
    /** @param fenced whether it was when the promotion was committed */
    public void onPromoted(long epoch, String node, boolean fenced) {
        if (fenced) {
            throw new AssertionError("fence: %s is fenced and is promoted to epoch %d".formatted(node, epoch));
        }
    }
}
