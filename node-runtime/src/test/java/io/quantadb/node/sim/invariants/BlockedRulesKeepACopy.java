package io.quantadb.node.sim.invariants;

import java.util.List;

/**
 * Where the operator wants commits to wait rather than to be on one disk alone, the rule goes on without anybody beside
 * the primary only when the disks of all the others are lost.
 */
public final class BlockedRulesKeepACopy {
    /**
     * The rule names nobody from now on, and named somebody before.
     *
     * @param left data voters that have their disks
     */
    public void onAlone(String primary, List<String> left) {
        if (!left.isEmpty()) {
            throw new AssertionError("%s acknowledges alone though %s could".formatted(primary, left));
        }
    }
}
