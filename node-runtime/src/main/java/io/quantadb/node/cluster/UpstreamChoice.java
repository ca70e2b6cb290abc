package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * Chooses from whom this standby is to stream: from the primary, or from the member that it is to be fed by, as long as
 * that one streams in the present epoch, feeds, and is heard of.
 *
 * <pre>
 *   PRIMARY --it feeds for the hold-off--> FED
 *      ^---- it is silent, does not feed, breaks off, or has removed WAL ----'
 * </pre>
 *
 * <p>Away from it at once, back to it only after the hold-off, which doubles each time that it is lost soon after, so that
 * one which comes and goes is not run after. A new epoch begins with the primary. Owned by the core's thread.
 */
final class UpstreamChoice {
    static final long HOLD_NANOS = 5_000 * Context.MILLIS;
    static final long HOLD_MAX_NANOS = 300_000 * Context.MILLIS;
    private static final long SOON_NANOS = 60_000 * Context.MILLIS;
    /** So long may it take until it has said that it has all that is here; nothing is streamed meanwhile. */
    private static final long HAS_ALL_NANOS = 2_000 * Context.MILLIS;

    private final Context ctx;
    private final UpstreamNews news;
    private @Nullable NodeId wished;
    private long epoch;
    private boolean fed;
    private long fedSince;
    private long wellSince;
    private long hold;

    UpstreamChoice(Context ctx, UpstreamNews news) {
        this.ctx = ctx;
        this.news = news;
        this.hold = ctx.rules.upstreamHoldNanos();
    }

    /** Whom to follow now. */
    NodeId from(NodeId primary) {
        Member me = ctx.me();
        NodeId wish = me == null ? null : Upstreams.wished(ctx.rules, ctx.state, me);
        if (wish == null || !wish.equals(wished) || epoch != ctx.state.epoch()) {
            if (wish != null && !wish.equals(wished)) {
                hold = ctx.rules.upstreamHoldNanos();
            }
            wished = wish;
            epoch = ctx.state.epoch();
            fed = false;
            wellSince = 0;
        }
        if (wish == null) {
            return primary;
        }
        if (!news.feeds(wish)) {
            lost(news.of(wish) == null ? "it is not heard of" : "it does not stream in epoch " + epoch);
            return primary;
        }
        wellSince = wellSince == 0 ? Math.max(1, ctx.now) : wellSince;
        if (!fed && ctx.now - wellSince >= hold) {
            fed = true;
            fedSince = ctx.now;
            ctx.tell("replication", "is fed by %s from now on, instead of by the primary".formatted(wish));
        }
        return fed ? wish : primary;
    }

    /**
     * Whether that node has all WAL that ends here, so that it can go on from there: the primary has. The member that was
     * chosen says so a moment after, or is not chosen any more.
     */
    boolean hasAll(NodeId upstream, Lsn end) {
        if (!upstream.equals(wished) || news.has(upstream, end)) {
            return true;
        }
        if (ctx.now - fedSince >= HAS_ALL_NANOS) {
            lost("it has not got all WAL that is here");
        }
        return false;
    }

    /** Its stream ended, or cannot go on. */
    void onBroken(NodeId upstream, String why) {
        if (upstream.equals(wished)) {
            lost(why);
        }
    }

    private void lost(String why) {
        wellSince = 0;
        if (fed) {
            fed = false;
            hold = ctx.now - fedSince < SOON_NANOS ? Math.min(2 * hold, HOLD_MAX_NANOS) : ctx.rules.upstreamHoldNanos();
            ctx.tell(
                    "replication",
                    "streams from the primary, and not from %s for %d s at least: %s"
                            .formatted(wished, hold / (1_000 * Context.MILLIS), why));
        }
    }
}
