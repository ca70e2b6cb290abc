package io.quantadb.node.sim.invariants;

/** INV5 of protocol.md: whoever acknowledges for an epoch has not promised to leave it. */
public final class PromisesAreKept {
    public void onAcknowledges(String node, long epoch, long promise) {
        if (promise > epoch) {
            throw new AssertionError(
                    "INV5: %s acknowledges for epoch %d after its promise for %d".formatted(node, epoch, promise));
        }
    }
}
