package io.quantadb.node.cluster;

/**
 * In what form the replicated state and the commands that change it are written (docs/adr/0033). A release reads every
 * version from the first to its {@link #NEWEST}; a cluster is at the lowest {@link #NEWEST} of its members, and what only a
 * later version can say is not written before all of them read it. A version never falls.
 */
public final class ClusterVersion {
    /** What clusters were at that name a lower one. Nothing older is written. */
    public static final int OLDEST = 7;

    /** What this release reads, and writes where all members do. */
    public static final int NEWEST = StateCodec.FORMAT;

    private ClusterVersion() {}

    /** What a cluster is at. */
    public static int of(ClusterState state) {
        return Math.max(OLDEST, state.clusterVersion());
    }

    /** The format in which this release writes for a cluster that is at this version. */
    static int format(int version) {
        return Math.clamp(version, OLDEST, NEWEST);
    }

    /** The state after a step that this release could read: it may say that the next ones are not for it. */
    public static ClusterState readable(ClusterState state) {
        if (state.clusterVersion() > NEWEST) {
            check("this cluster's state", state.clusterVersion());
        }
        return state;
    }

    /** {@link IllegalArgumentException}, with what to do, for what was written in a version that this release does not read. */
    static void check(String what, int version) {
        if (version > NEWEST || version < StateCodec.BEFORE_SHRINK) {
            throw new IllegalArgumentException(
                    "%s of version %d is not known here, which reads up to %d: start this node with the release that the other members run"
                            .formatted(what, version, NEWEST));
        }
    }
}
