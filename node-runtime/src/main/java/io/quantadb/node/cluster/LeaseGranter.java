package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;

/**
 * The leader's side of the lease: grants to the primary for less than the leader's own, and knows when the last grant
 * has surely ended or was given back.
 */
final class LeaseGranter {
    private final Context ctx;
    private long grantedUntil;
    private long lastGranted;
    private long notBefore;
    /** Led by transfer, and no lease of its own won yet: the one of the leader before may last longer than this one's. */
    private boolean awaitsOwn;

    private boolean suspended;
    private long recalledAt;

    LeaseGranter(Context ctx) {
        this.ctx = ctx;
        this.grantedUntil = ctx.now;
        this.notBefore = ctx.now;
        this.recalledAt = ctx.now - 1_000 * Context.MILLIS;
    }

    /** A leader that won by transfer waits one full lease before it promotes another. */
    void onLeading() {
        suspended = false;
        awaitsOwn = ctx.byTransfer;
        if (ctx.byTransfer) {
            notBefore = ctx.now + ctx.millis(ctx.state.settings().leaseMillis());
        }
    }

    void onRequest(NodeId from, CoordMessage.LeaseRequest request) {
        boolean due = ctx.leads()
                && !suspended
                && from.equals(ctx.state.primary())
                && request.epoch() == ctx.state.epoch()
                && request.term() == ctx.term;
        long left = ctx.leaderLeaseUntil - ctx.now;
        long duration = left - left / 20;
        if (!due || duration <= 0) {
            return;
        }
        grantedUntil = Math.max(grantedUntil, ctx.now + left);
        lastGranted = request.requestId();
        ctx.send(from, new CoordMessage.LeaseGrant(ctx.term, request.epoch(), request.requestId(), duration));
    }

    /** Counts only when it voids the last grant, and comes from the same run of the agent. */
    void onReturned(CoordMessage.LeaseReturned returned) {
        boolean sameRun = returned.requestId() >>> 32 == lastGranted >>> 32;
        if (sameRun && returned.requestId() >= lastGranted) {
            grantedUntil = ctx.now;
        }
    }

    /** No more grants, and the last one is asked back. */
    void recall() {
        suspended = true;
        NodeId primary = ctx.state.primary();
        boolean due = grantedUntil > ctx.now && ctx.now - recalledAt > 50 * Context.MILLIS;
        if (due && primary != null && !primary.equals(ctx.self.node())) {
            recalledAt = ctx.now;
            ctx.send(primary, new CoordMessage.LeaseRecall(ctx.term, ctx.state.epoch()));
        }
    }

    void resume() {
        suspended = false;
    }

    boolean suspended() {
        return suspended;
    }

    /** Whether no other node can hold a lease any more. */
    boolean over() {
        awaitsOwn &= ctx.leaderLeaseUntil <= ctx.now;
        return ctx.rules.leaseOver(ctx.now >= grantedUntil && ctx.now >= notBefore && !awaitsOwn);
    }
}
