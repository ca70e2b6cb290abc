package io.quantadb.node.sim.invariants;

/** INV7 of protocol.md: an epoch that was never released has shown nothing. */
public final class UnreleasedEpochsShowNothing {
    public void onShown(long epoch, long lastReleased) {
        if (epoch > lastReleased) {
            throw new AssertionError(
                    "INV7: epoch %d shows something, and %d is the last released".formatted(epoch, lastReleased));
        }
    }
}
