package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * The last released primary while a later epoch stays unreleased: it holds all that was acknowledged, and may be promoted
 * again (B) once it is known where its WAL ends. Owned by the core's thread.
 */
final class ReleasedPrimary {
    private static final long ASK_AGAIN_NANOS = 20 * Context.MILLIS;

    private final Context ctx;
    private final Reports reports;
    private long askedAt;

    ReleasedPrimary(Context ctx, Reports reports) {
        this.ctx = ctx;
        this.reports = reports;
    }

    /**
     * What it says of itself when it may be promoted again, its position included; else null, and where a freeze makes it
     * tell its end, it is frozen.
     *
     * @param freezeEpoch what others were frozen for, 0 when nobody was
     */
    @Nullable
    LocalStatus ready(long freezeEpoch) {
        ClusterState s = ctx.state;
        NodeId node = s.releasedPrimary();
        LocalStatus st = reports.fresh(node);
        if (node == null || st == null || st.generation() != s.releasedGeneration()) {
            return null;
        }
        boolean quiet = st.server() == ServerState.DOWN || st.server() == ServerState.STANDBY;
        if (quiet && st.position() != null && st.fit()) {
            return st;
        }
        boolean follows = st.server() == ServerState.STANDBY && st.position() == null;
        boolean stranded = node.equals(s.primary()) && reports.highestPromise() > s.epoch();
        if (follows || stranded) {
            freeze(node, Math.max(s.epoch() + 1, Math.max(freezeEpoch, reports.highestPromise())));
        }
        return null;
    }

    /**
     * Either it follows the primary of the unreleased epoch, and what may still arrive is no end. Or it is itself that
     * primary, on a timeline that nobody was released on, and a member that has promised a later epoch will never follow
     * it there; frozen, it stops its server, as after a crash. The answer counts for nothing in R: the next look promotes
     * it anew.
     */
    private void freeze(NodeId node, long epoch) {
        if (ctx.now - askedAt >= ASK_AGAIN_NANOS) {
            askedAt = ctx.now;
            ctx.send(node, new CoordMessage.Freeze(ctx.term, epoch));
        }
    }
}
