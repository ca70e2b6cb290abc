package io.quantadb.node.sim.invariants;

/** C of protocol.md: a failover that may lose something begins by itself in mode {@code async} alone. */
public final class LossIsChosen {
    /** @param k how many acknowledge beside the primary, by the rule that governs */
    public void onPromoted(long epoch, String node, int k, boolean async) {
        if (k > 0 || !async) {
            throw new AssertionError("C: %s gets epoch %d without knowing all that was shown, k=%d, mode async %s"
                    .formatted(node, epoch, k, async));
        }
    }
}
