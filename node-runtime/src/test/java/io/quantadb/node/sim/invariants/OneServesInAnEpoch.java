package io.quantadb.node.sim.invariants;

import java.util.List;

/** INV3 of protocol.md: never two open nodes; leases never overlap, so not in different epochs either. */
public final class OneServesInAnEpoch {
    public void onShown(List<String> serving) {
        if (serving.size() > 1) {
            throw new AssertionError("INV3: " + serving + " serve at one time");
        }
    }
}
