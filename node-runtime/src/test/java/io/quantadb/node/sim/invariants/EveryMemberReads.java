package io.quantadb.node.sim.invariants;

/** No node is given an entry or a snapshot of a version that its release does not read. */
public final class EveryMemberReads {
    /**
     * @param reads the newest version that the node's release reads
     * @param version of what it is given
     */
    public void onRead(String node, int reads, int version) {
        if (version > reads) {
            throw new AssertionError(
                    "version: %s reads up to %d and is given what was written in %d".formatted(node, reads, version));
        }
    }
}
