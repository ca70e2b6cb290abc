package io.quantadb.node.sim.invariants;

/**
 * Discard of protocol.md: a new generation is on the disk before the first byte of the old data is lost, so that what the
 * old one acknowledged is never answered for by data that has not got it.
 */
public final class OldGenerationsAreSilent {
    /** @param answeredAs the generation that the data which is about to be lost may have answered as */
    public void onDiscards(String node, long generation, long answeredAs) {
        if (generation <= answeredAs) {
            throw new AssertionError("Discard: %s loses data of generation %d and is still generation %d"
                    .formatted(node, answeredAs, generation));
        }
    }
}
