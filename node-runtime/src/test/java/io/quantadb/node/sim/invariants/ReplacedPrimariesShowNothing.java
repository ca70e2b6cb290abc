package io.quantadb.node.sim.invariants;

/**
 * INV3 of protocol.md: a later epoch is given to another node only when the old lease is over, so from then on nobody shows
 * anything in an older one. Where nobody acknowledges beside the primary this alone keeps two from acknowledging.
 */
public final class ReplacedPrimariesShowNothing {
    private long epoch;

    /** That epoch is given away, by any right but B. */
    public void onPromoted(long promoted) {
        epoch = promoted;
    }

    public void onShown(String node, long shown) {
        if (shown < epoch) {
            throw new AssertionError(
                    "INV3: %s shows something in epoch %d, and epoch %d is another's".formatted(node, shown, epoch));
        }
    }
}
