package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;

/**
 * Tells the leader that the front has opened, a few times for as long as a leader may wait for it; how it is otherwise
 * stands in the reports. Owned by the core's thread.
 */
final class ServesNews {
    private static final long TOLD_NANOS = 1_000 * Context.MILLIS;

    private final Context ctx;
    private long since;
    private long toldAt;

    ServesNews(Context ctx) {
        this.ctx = ctx;
    }

    void begin(long frontEpoch) {
        since = ctx.now;
        toldAt = 0;
        tell(frontEpoch);
    }

    /** @param frontEpoch the epoch that the front serves, 0 while it is shut */
    void tell(long frontEpoch) {
        NodeId leader = ctx.leaderId;
        boolean due = toldAt == 0
                || ctx.now - toldAt >= ctx.millis(ctx.state.settings().heartbeatMillis());
        if (leader != null && frontEpoch != 0 && due && ctx.now - since < TOLD_NANOS) {
            toldAt = ctx.now;
            ctx.send(leader, new CoordMessage.Serves(ctx.term, frontEpoch));
        }
    }
}
