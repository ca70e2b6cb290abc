package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a standby does for the members that are to stream from it: lets them, and nobody else, under the epoch that it
 * follows itself, and says so; and what one that is to be fed tells of itself. A freeze, or another epoch, ends every
 * stream first ({@link StandbyDuties}), and a primary serves on its own word.
 */
final class FeedDuties {
    private static final long AGAIN_NANOS = 250 * Context.MILLIS;

    private final Context ctx;
    private final ServerSupervisor server;
    private final StandbyDuties standby;
    private long fedEpoch;
    private Set<NodeId> fed = Set.of();
    private CoordMessage.@Nullable Follows told;
    private Set<NodeId> toldWhom = Set.of();
    private long toldAt;

    FeedDuties(Context ctx, ServerSupervisor server, StandbyDuties standby) {
        this.ctx = ctx;
        this.server = server;
        this.standby = standby;
    }

    void reconcile() {
        ClusterState s = ctx.state;
        Member me = ctx.me();
        if (me == null || ctx.primaryIsMe() || ctx.promise > s.epoch()) {
            // Nothing is served below a promise, and what a primary or a frozen member serves is not for here to end.
            fedEpoch = 0;
            fed = Set.of();
        } else {
            Set<NodeId> next = mayFeed(s, me) ? Upstreams.nodesFedBy(ctx.rules, s, me.node()) : Set.of();
            long epoch = next.isEmpty() ? 0 : s.epoch();
            if (epoch != fedEpoch || !next.equals(fed)) {
                fedEpoch = epoch;
                fed = next;
                ctx.add(new Action.FeedMembers(epoch, next));
            }
        }
        if (me != null && !ctx.primaryIsMe()) {
            tell(s, me);
        }
    }

    private boolean mayFeed(ClusterState s, Member me) {
        boolean stays = me.state() != MemberState.LEAVING && !me.fence().fenced();
        return stays
                && server.state() == ServerState.STANDBY
                && ctx.rules.mayFeed(s, standby.streamsFrom(s.primary()) ? standby.streamingEpoch() : 0);
    }

    private void tell(ClusterState s, Member me) {
        Set<NodeId> whom = new TreeSet<>(Upstreams.nodesFedBy(ctx.rules, s, me.node()));
        if (me.upstream() != null) {
            whom.addAll(s.members().keySet());
        }
        whom.remove(me.node());
        if (whom.isEmpty()) {
            toldWhom = whom;
            return;
        }
        var now = new CoordMessage.Follows(
                ctx.term,
                standby.upstream(),
                standby.streamingEpoch(),
                fedEpoch,
                standby.flushed(),
                standby.replayed());
        if (!whom.equals(toldWhom) || ctx.now - toldAt >= AGAIN_NANOS || !sameShape(now, told)) {
            told = now;
            toldWhom = whom;
            toldAt = ctx.now;
            whom.forEach(node -> ctx.send(node, now));
        }
    }

    private static boolean sameShape(CoordMessage.Follows now, CoordMessage.@Nullable Follows before) {
        return before != null
                && java.util.Objects.equals(now.upstream(), before.upstream())
                && now.streaming() == before.streaming()
                && now.feeds() == before.feeds();
    }
}
