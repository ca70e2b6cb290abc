package io.quantadb.node.sim.invariants;

import java.util.Set;

/** Where the operator wants it so, no failover by itself leaves the region of the primary, or of the last released one. */
public final class FailoversStayInTheRegion {
    public void onFailover(long epoch, String node, String region, Set<String> regions) {
        if (!regions.contains(region)) {
            throw new AssertionError(
                    "region: %s in '%s' takes epoch %d over from %s".formatted(node, region, epoch, regions));
        }
    }
}
