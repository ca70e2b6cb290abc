package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Fences members and lets them free again, on the leader. A primary hands over first: the order is kept here until
 * another is primary, and forgotten with the leadership, when nothing was changed but, perhaps, who is primary. The fence
 * itself is in the replicated state.
 */
final class FenceDuties {
    private static final long AGAIN_NANOS = 200 * Context.MILLIS;
    private static final long PATIENCE_NANOS = 90_000 * Context.MILLIS;
    private static final int HAND_OVER_MILLIS = 30_000;

    /** A primary that is to be fenced once another is primary; {@code anyway} where that does not come about too. */
    private record Order(Member member, boolean anyway, long since) {}

    private final Context ctx;
    private final Reports reports;
    private final SwitchoverRound switchover;
    private @Nullable Order order;
    private long proposedAt;
    private long handOvers;

    FenceDuties(Context ctx, Reports reports, SwitchoverRound switchover) {
        this.ctx = ctx;
        this.reports = reports;
        this.switchover = switchover;
    }

    void clear() {
        order = null;
    }

    /** @param busy what goes on with the primary, if anything */
    void onAsked(long requestId, AdminRequest.FenceMember r, boolean failingOver, @Nullable String busy) {
        Member m = ctx.state.member(r.node());
        if (m == null) {
            refuse(
                    requestId,
                    "no member is called %s; the members are %s"
                            .formatted(
                                    r.node(),
                                    ctx.state.members().keySet().stream()
                                            .map(NodeId::value)
                                            .collect(Collectors.joining(", "))));
        } else if (!r.fenced()) {
            free(requestId, m);
        } else if (m.kind() == MemberKind.WITNESS) {
            refuse(requestId, "%s is a witness: it serves no SQL, and is never primary".formatted(m.node()));
        } else if (m.state() == MemberState.LEAVING) {
            refuse(requestId, "%s is being removed".formatted(m.node()));
        } else if (m.fence() == Fence.STOPPED || (m.fence() == Fence.SHUT && !r.anyway())) {
            accept(requestId, m.node() + " is fenced already");
        } else if (ctx.rules.mayFence(ctx.state, m.node(), Fence.SHUT)) {
            fence(m, r.anyway());
            accept(requestId, words(m, r.anyway()));
        } else if (order != null) {
            Order o = order;
            boolean same = o.member.peer().equals(m.peer());
            answer(
                    requestId,
                    same ? Action.AdminVerdict.ACCEPTED : Action.AdminVerdict.NOT_NOW,
                    same ? m.node() + " hands over before it is fenced" : o.member.node() + " is being fenced");
        } else if (busy != null || !ctx.state.released()) {
            whileItMoves(requestId, m, r.anyway(), busy);
        } else {
            primary(requestId, m, r.anyway(), failingOver);
        }
    }

    /** At any time: it may be what a failover waits for. */
    private void free(long requestId, Member m) {
        Order o = order;
        if (o != null && o.member.peer().equals(m.peer())) {
            order = null;
        }
        if (m.fence().fenced()) {
            ctx.tell("cluster", "fences %s no longer, as asked".formatted(m.node()));
            ctx.add(new Action.Propose(new Command.SetFence(m.peer(), Fence.NONE)));
        }
        accept(requestId, m.fence().fenced() ? m.node() + " is fenced no longer" : m.node() + " is not fenced");
    }

    private void fence(Member m, boolean anyway) {
        ctx.tell("cluster", "fences %s, as asked".formatted(m.node()));
        proposedAt = ctx.now;
        ctx.add(new Action.Propose(new Command.SetFence(m.peer(), anyway ? Fence.STOPPED : Fence.SHUT)));
    }

    private String words(Member m, boolean anyway) {
        if (anyway) {
            return m.node() + " serves no SQL, and its PostgreSQL stops";
        }
        return m.node() + " serves no SQL; its PostgreSQL stops once no commit and no failover counts on it";
    }

    /** Its primary is named and cannot be replaced in order; a dead or stuck one can be fenced by force alone. */
    private void whileItMoves(long requestId, Member m, boolean anyway, @Nullable String busy) {
        if (anyway) {
            fence(m, true);
            accept(requestId, words(m, true));
        } else {
            answer(requestId, Action.AdminVerdict.NOT_NOW, busy == null ? "a failover is under way" : busy);
        }
    }

    private void primary(long requestId, Member m, boolean anyway, boolean failingOver) {
        String unable = SwitchoverChecks.primaryObjection(ctx.state, reports);
        SwitchoverChecks.Choice choice = SwitchoverChecks.choose(ctx.state, reports, null);
        String why = unable != null ? unable : choice.objection();
        if (why == null) {
            // Nobody waits for this request's own answer: number 0 is nobody's.
            switchover.onAsked(0, handOver(), failingOver);
        }
        if (!switchover.idle()) {
            order = new Order(m, anyway, ctx.now);
            proposedAt = 0;
            accept(requestId, "%s is the primary: %s takes over first".formatted(m.node(), choice.heir()));
        } else if (anyway) {
            fence(m, true);
            accept(requestId, "%s is the primary and nobody takes over: writes stop".formatted(m.node()));
        } else if (why != null) {
            refuse(
                    requestId,
                    "%s is the primary, and %s; insist (--force) to stop writes until it is unfenced or another can take over"
                            .formatted(m.node(), why));
        } else {
            answer(
                    requestId,
                    Action.AdminVerdict.NOT_NOW,
                    "the rule that says who acknowledges is being changed, and the primary stays until then");
        }
    }

    private SwitchoverRequest handOver() {
        handOvers++;
        long id = -((ctx.term << 24) + handOvers);
        return new SwitchoverRequest(
                id, ctx.state.epoch(), null, HAND_OVER_MILLIS, SwitchoverRequest.DRAIN_MILLIS, false);
    }

    void onTick() {
        Order o = order;
        if (o == null) {
            return;
        }
        Member m = ctx.state.member(o.member.peer());
        if (m == null || m.fence().fenced()) {
            order = null;
        } else if (ctx.rules.mayFence(ctx.state, m.node(), Fence.SHUT)) {
            if (proposedAt == 0 || ctx.now - proposedAt >= AGAIN_NANOS) {
                fence(m, o.anyway);
            }
        } else if (switchover.idle() && ctx.state.released()) {
            order = null;
            if (o.anyway) {
                fence(m, true);
            } else {
                ctx.tell("cluster", "does not fence %s: nobody took over from it".formatted(m.node()));
            }
        } else if (ctx.now - o.since > PATIENCE_NANOS) {
            order = null;
            ctx.tell("cluster", "gives up fencing %s: it is still the primary".formatted(m.node()));
        }
    }

    private void refuse(long requestId, String why) {
        answer(requestId, Action.AdminVerdict.REFUSED, why);
    }

    private void accept(long requestId, String words) {
        answer(requestId, Action.AdminVerdict.ACCEPTED, words);
    }

    private void answer(long requestId, Action.AdminVerdict verdict, String words) {
        ctx.add(new Action.AdminAnswer(requestId, verdict, words));
    }
}
