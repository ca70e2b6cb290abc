package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The leader's care for one member whose data an operator wants copied anew: first out of the rule, so that no commit
 * and no failover counts on what is about to be thrown away, then the order, until the member has taken a new
 * generation. From there it is a member that is far behind. Kept in memory: a new leader or a new epoch forgets it, and
 * nothing was changed then but, for a moment, the rule.
 */
final class ResyncDuties {
    private static final long AGAIN_NANOS = 200 * Context.MILLIS;
    private static final long PATIENCE_NANOS = 30_000 * Context.MILLIS;
    /** Commits may wait while the rule changes and those that are left do not acknowledge. */
    private static final long RULE_PATIENCE_NANOS = 5_000 * Context.MILLIS;

    private record Order(Member member, long epoch, boolean outOfTheRule, long since) {}

    private final Context ctx;
    private @Nullable Order order;
    private long saidAt;

    ResyncDuties(Context ctx) {
        this.ctx = ctx;
    }

    /** Who is being copied anew by an operator's word, as long as it has not begun. */
    @Nullable
    NodeId target() {
        Order o = order;
        return o == null ? null : o.member.node();
    }

    /** @param outOfTheRule the others can acknowledge alone, so it is taken out first */
    void begin(Member member, boolean outOfTheRule) {
        order = new Order(member, ctx.state.epoch(), outOfTheRule, ctx.now);
        saidAt = 0;
    }

    void clear() {
        order = null;
    }

    /** Who may not stand in the rule for now. */
    Set<NodeId> outOfTheRule() {
        Order o = order;
        return o == null || !o.outOfTheRule ? Set.of() : Set.of(o.member.node());
    }

    void onTick() {
        Order o = order;
        if (o == null) {
            return;
        }
        Member now = ctx.state.member(o.member.peer());
        if (now == null || now.generation() != o.member.generation() || ctx.state.epoch() != o.epoch) {
            order = null;
            return;
        }
        boolean counted = o.outOfTheRule && ctx.state.inRules(o.member.node());
        if (ctx.now - o.since > (counted ? RULE_PATIENCE_NANOS : PATIENCE_NANOS)) {
            order = null;
            String why = counted ? "the others did not acknowledge without it for 5 s" : "it did not begin within 30 s";
            ctx.tell("replication", "gives up having %s copied anew: %s".formatted(o.member.node(), why));
            return;
        }
        if (!counted && ctx.state.released() && (saidAt == 0 || ctx.now - saidAt >= AGAIN_NANOS)) {
            saidAt = Math.max(1, ctx.now);
            ctx.send(o.member.node(), new CoordMessage.Discard(ctx.term, o.epoch, o.member.generation()));
        }
    }
}
