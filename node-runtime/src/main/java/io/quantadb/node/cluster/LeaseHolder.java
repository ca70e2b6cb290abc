package io.quantadb.node.cluster;

import java.util.TreeMap;

/**
 * The primary's side of the lease. A grant counts from before the request that won it; every request carries a number
 * that only grows within this run of the agent, so that giving back says exactly what is void.
 */
final class LeaseHolder {
    private static final int OUTSTANDING_MAX = 32;

    private final Context ctx;
    private final TreeMap<Long, Long> sentAt = new TreeMap<>();
    private long lastRequest;
    private long lastSentAt;
    private long grantedEpoch;
    private long grantedUntil;

    LeaseHolder(Context ctx, int run) {
        this.ctx = ctx;
        this.lastRequest = (long) run << 32;
    }

    /** Until when this node may serve the current epoch, on its own clock; a time in the past when it may not. */
    long until(boolean suspended) {
        long granted = grantedEpoch == ctx.state.epoch() ? grantedUntil : ctx.now;
        if (ctx.leads()) {
            // What the leader before granted stays good: until it ends nobody but this leader could grant another.
            return suspended ? ctx.now : Math.max(granted, ctx.leaderLeaseUntil);
        }
        return granted;
    }

    void askWhenDue(boolean wanted) {
        long every = ctx.millis(ctx.state.settings().heartbeatMillis());
        if (!wanted || ctx.leader || ctx.leaderId == null || ctx.now - lastSentAt < every) {
            return;
        }
        ask();
    }

    void ask() {
        if (ctx.leader || ctx.leaderId == null) {
            return;
        }
        lastSentAt = ctx.now;
        lastRequest++;
        sentAt.put(lastRequest, ctx.now);
        while (sentAt.size() > OUTSTANDING_MAX) {
            sentAt.pollFirstEntry();
        }
        ctx.send(ctx.leaderId, new CoordMessage.LeaseRequest(ctx.term, ctx.state.epoch(), lastRequest));
    }

    void onGrant(CoordMessage.LeaseGrant grant) {
        Long sent = sentAt.get(grant.requestId());
        if (sent == null || grant.term() != ctx.term || grant.epoch() != ctx.state.epoch()) {
            return;
        }
        sentAt.headMap(grant.requestId(), true).clear();
        long until = sent + grant.durationNanos();
        if (grantedEpoch != grant.epoch() || until > grantedUntil) {
            grantedEpoch = grant.epoch();
            grantedUntil = until;
        }
    }

    /** The front is shut: everything asked for or granted so far is void, and the leader is told. */
    void giveBack() {
        sentAt.clear();
        grantedUntil = ctx.now;
        grantedEpoch = 0;
        if (!ctx.leader && ctx.leaderId != null) {
            ctx.send(ctx.leaderId, new CoordMessage.LeaseReturned(ctx.term, ctx.state.epoch(), lastRequest));
        }
    }

    void onRaftChanged() {
        sentAt.clear();
        lastSentAt = ctx.now - ctx.millis(ctx.state.settings().heartbeatMillis());
    }
}
