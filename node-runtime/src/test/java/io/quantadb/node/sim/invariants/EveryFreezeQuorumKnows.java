package io.quantadb.node.sim.invariants;

/**
 * What A of protocol.md's Promote rests on: whatever |S|-k+1 members of the rule that governs answer a freeze, one of
 * them holds all that was acknowledged or shown. So no more than |S|-k of them, in the generation that the rule names,
 * may lack it; and whoever is promoted holds it at once, not only when the epoch is released.
 */
public final class EveryFreezeQuorumKnows {
    public void onRule(String rule, int shown, int lacking, int lackingMax) {
        if (lacking > lackingMax) {
            throw new AssertionError("INV1/A: %d of %s lack some of the %d records shown, %d may"
                    .formatted(lacking, rule, shown, lackingMax));
        }
    }

    public void onPromoted(long epoch, String node, int shown, boolean holdsAll) {
        if (!holdsAll) {
            throw new AssertionError("INV1/A: %s is promoted to epoch %d and lacks some of the %d records shown"
                    .formatted(node, epoch, shown));
        }
    }
}
