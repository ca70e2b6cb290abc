package io.quantadb.node.sim;

import java.util.EnumMap;
import java.util.Map;

/** Which parts of one node are slow for a while, and how slow: hardware and neighbours, so a crash does not end it. */
final class SimSlowness {
    enum Part {
        WAL_FLUSH,
        RAFT_DISK,
        PERMIT,
        /** From the primary's line to this member's receiver. */
        WAL_ARRIVAL
    }

    private record Spell(long until, double upToMs) {}

    private final SimWorld world;
    private final Map<Part, Spell> spells = new EnumMap<>(Part.class);

    SimSlowness(SimWorld world) {
        this.world = world;
    }

    void begin(Part part, double upToMs, double forMs) {
        spells.put(part, new Spell(world.now + (long) (forMs * SimWorld.MS), upToMs));
    }

    void end() {
        spells.clear();
    }

    /** The longest that this part takes now; as usual when nothing is the matter. */
    double atMost(Part part, double usualMs) {
        Spell s = spells.get(part);
        return s == null || world.now >= s.until ? usualMs : Math.max(usualMs, s.upToMs);
    }
}
