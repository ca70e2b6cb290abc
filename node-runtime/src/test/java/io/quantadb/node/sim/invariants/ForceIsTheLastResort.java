package io.quantadb.node.sim.invariants;

/**
 * D of protocol.md: a failover is forced only where none goes on by itself, it promotes whom the operator was told, and
 * that one still has all that it had then.
 */
public final class ForceIsTheLastResort {
    private String told = "";
    private int toldHeld;

    /**
     * An operator's word was taken.
     *
     * @param held how much of what was shown the node has that is to be promoted
     * @param well how many of the rule that governs were well all the time, in the generation that it names
     * @param needed how many of them must answer so that nothing is lost
     */
    public void onAccepted(String node, int held, int well, int needed) {
        if (well >= needed) {
            throw new AssertionError(
                    "D: a failover to %s is forced, though %d of the rule are well and %d are enough to lose nothing"
                            .formatted(node, well, needed));
        }
        told = node;
        toldHeld = held;
    }

    public void onPromoted(long epoch, String node, int held) {
        if (!node.equals(told) || held < toldHeld) {
            throw new AssertionError("D: epoch %d is forced upon %s with %d records, where %s with %d was told"
                    .formatted(epoch, node, held, told, toldHeld));
        }
    }
}
