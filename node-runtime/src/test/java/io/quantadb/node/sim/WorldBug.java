package io.quantadb.node.sim;

import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.sim.invariants.ServesAgain;

/**
 * A known bug, and the world whose seeds are searched for it from 0 on. Safety alone is looked at, and by one invariant: any
 * other that notices something as well does not count.
 *
 * @param says what that invariant begins with
 */
record WorldBug(String name, World world, String says, ProtocolRules rules, SimBugs bugs) {
    static final long CHAOS_MS = 6_000;
    static final int SEEDS_MAX = 300;

    /** A world by its seed. */
    interface World {
        SimRun of(long seed, ProtocolRules rules, SimBugs bugs);
    }

    WorldBug(String name, World world, String says, ProtocolRules rules) {
        this(name, world, says, rules, new SimBugs());
    }

    WorldBug(String name, World world, String says, SimBugs bugs) {
        this(name, world, says, new ProtocolRules(), bugs);
    }

    /** The first seed that notices it and what it says; empty when none does. */
    String firstNoticed() {
        for (long seed = 0; seed < SEEDS_MAX; seed++) {
            try {
                world.of(seed, rules, bugs).chaos(CHAOS_MS);
            } catch (AssertionError e) {
                String what = String.valueOf(e.getMessage());
                if (!ServesAgain.reported(e) && what.startsWith(says)) {
                    return "seed " + seed + ": " + what;
                }
            }
        }
        return "";
    }

    @Override
    public String toString() {
        return name;
    }
}
