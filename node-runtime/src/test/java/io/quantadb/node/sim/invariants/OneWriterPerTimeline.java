package io.quantadb.node.sim.invariants;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** INV4 of protocol.md: one writer per timeline, and a timeline is never begun again. */
public final class OneWriterPerTimeline {
    private final Map<Integer, String> writers = new HashMap<>();
    private final Set<Integer> begun = new HashSet<>();

    public void onWritten(int timeline, String node) {
        String before = writers.putIfAbsent(timeline, node);
        if (before != null && !before.equals(node)) {
            throw new AssertionError("INV4: %s and %s write timeline %d".formatted(before, node, timeline));
        }
    }

    public void onBegun(int timeline, String node) {
        if (!begun.add(timeline)) {
            throw new AssertionError("INV4: %s begins timeline %d again".formatted(node, timeline));
        }
    }
}
