package io.quantadb.node.sim.invariants;

/**
 * While the cluster is in maintenance no failover begins by itself. One that began before ends: whether there is one
 * shows in the promises that members made, so an epoch counts as quiet when some time after the maintenance began nobody
 * had promised a later one.
 */
public final class MaintenanceHolds {
    private long quietEpoch = -1;
    private long untilMillis;

    /** Nobody has promised a later epoch than this one, which was released and in maintenance for a while. */
    public void onQuiet(long epoch, long pausedUntilMillis) {
        quietEpoch = epoch;
        untilMillis = pausedUntilMillis;
    }

    /** The maintenance was changed, and so it has to be seen anew whether all is quiet. */
    public void onChanged() {
        quietEpoch = -1;
    }

    /** Another node takes over from the primary of that epoch. */
    public void onFailover(long epochBefore, long nowMillis, String node) {
        if (epochBefore == quietEpoch && nowMillis < untilMillis) {
            throw new AssertionError("maintenance: %s takes over from epoch %d, %d ms before it ends"
                    .formatted(node, epochBefore, untilMillis - nowMillis));
        }
    }
}
