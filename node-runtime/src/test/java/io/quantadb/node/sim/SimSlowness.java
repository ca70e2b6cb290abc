package io.quantadb.node.sim;

import java.util.EnumMap;
import java.util.Map;

/** Which parts of one node are slow for a while, and how slow: hardware and neighbours, so a crash does not end it. */
final class SimSlowness {
    enum Part {
        WAL_FLUSH,
        RAFT_DISK,
        PERMIT,
        /** The file with promises and generations. */
        FACTS,
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

    /** When the last spell ends or ended that delays more than WAL on its way. */
    long disksWellSince() {
        return spells.entrySet().stream()
                .filter(e -> e.getKey() == Part.WAL_FLUSH || e.getKey() == Part.RAFT_DISK)
                .mapToLong(e -> e.getValue().until)
                .max()
                .orElse(Long.MIN_VALUE / 2);
    }

    /** The longest that this part takes now; as usual when nothing is the matter. */
    double atMost(Part part, double usualMs) {
        Spell s = spells.get(part);
        return s == null || world.now >= s.until ? usualMs : Math.max(usualMs, s.upToMs);
    }
}
