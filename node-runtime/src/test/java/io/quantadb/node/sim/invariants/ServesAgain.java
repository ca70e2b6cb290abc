package io.quantadb.node.sim.invariants;

/**
 * LIVE of protocol.md: once all faults have ended the cluster serves again, every freeze ends and all members converge,
 * each within its bound of simulated time.
 */
public final class ServesAgain {
    private static final String NAME = "LIVE";

    /** Asked while {@code what} has not happened yet. */
    public void onWaited(String what, long waitedMs, long boundMs, String cluster) {
        if (waitedMs > boundMs) {
            throw new AssertionError("%s: %s not within %d ms: %s".formatted(NAME, what, boundMs, cluster));
        }
    }

    /** Whether a violation is one of liveness: a mutant that merely stops proves nothing about safety. */
    public static boolean reported(AssertionError e) {
        return String.valueOf(e.getMessage()).startsWith(NAME);
    }
}
