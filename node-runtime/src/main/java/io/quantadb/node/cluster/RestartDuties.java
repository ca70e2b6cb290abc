package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Has one standby's server started anew, on the leader: the order is said again until the server is seen to be down, and
 * is obeyed once. Kept in memory, and forgotten with the leadership.
 */
final class RestartDuties {
    private static final long AGAIN_NANOS = 100 * Context.MILLIS;
    private static final long PATIENCE_NANOS = 3_000 * Context.MILLIS;

    private record Order(Member member, long number, long since) {}

    private final Context ctx;
    private final Reports reports;
    private final AdminDuties admin;
    private @Nullable Order order;
    private long saidAt;
    private long orders;

    RestartDuties(Context ctx, Reports reports, AdminDuties admin) {
        this.ctx = ctx;
        this.reports = reports;
        this.admin = admin;
    }

    void clear() {
        order = null;
    }

    /** @param busy what goes on with the primary, if anything */
    void onAsked(long requestId, AdminRequest.RestartServer r, @Nullable String busy) {
        Member m = ctx.state.member(r.node());
        if (m == null) {
            answer(
                    requestId,
                    Action.AdminVerdict.REFUSED,
                    "no member is called %s; the members are %s"
                            .formatted(
                                    r.node(),
                                    ctx.state.members().keySet().stream()
                                            .map(NodeId::value)
                                            .collect(Collectors.joining(", "))));
            return;
        }
        if (busy != null || !ctx.state.released()) {
            answer(requestId, Action.AdminVerdict.NOT_NOW, busy == null ? "a failover is under way" : busy);
            return;
        }
        Order o = order;
        if (o != null) {
            boolean same = o.member.peer().equals(m.peer());
            answer(
                    requestId,
                    same ? Action.AdminVerdict.ACCEPTED : Action.AdminVerdict.NOT_NOW,
                    same ? begun(m) : o.member.node() + " is being restarted; one at a time");
            return;
        }
        String why = objection(m);
        if (why == null && !r.anyway()) {
            why = admin.wouldWait(m, "restarts");
        }
        if (why != null) {
            answer(requestId, Action.AdminVerdict.REFUSED, why);
            return;
        }
        ctx.tell("cluster", "has the server of %s restarted, as asked".formatted(m.node()));
        orders++;
        order = new Order(m, (ctx.term << 20) + orders, ctx.now);
        saidAt = 0;
        answer(requestId, Action.AdminVerdict.ACCEPTED, begun(m));
    }

    private static String begun(Member m) {
        return "the PostgreSQL server of %s restarts; its agent runs on".formatted(m.node());
    }

    private @Nullable String objection(Member m) {
        NodeId node = m.node();
        if (node.equals(ctx.state.primary())) {
            return "%s is the primary: move it first (quantadb switchover), or let quantadb restart --rolling do both"
                    .formatted(node);
        }
        if (m.kind() == MemberKind.WITNESS) {
            return "%s is a witness and has no server".formatted(node);
        }
        if (m.fence().fenced()) {
            return "%s is fenced, and its server is none of the cluster's: unfence it first".formatted(node);
        }
        LocalStatus st = reports.fresh(node);
        if (st == null) {
            return "%s has not been heard from lately".formatted(node);
        }
        return st.server() == ServerState.STANDBY ? null : "%s has no running standby".formatted(node);
    }

    void onTick() {
        Order o = order;
        if (o == null) {
            return;
        }
        LocalStatus st = reports.fresh(o.member.node());
        boolean obeyed = st != null && st.server() != ServerState.STANDBY;
        if (obeyed || ctx.now - o.since > PATIENCE_NANOS) {
            order = null;
        } else if (saidAt == 0 || ctx.now - saidAt >= AGAIN_NANOS) {
            saidAt = Math.max(1, ctx.now);
            ctx.send(o.member.node(), new CoordMessage.RestartServer(ctx.term, ctx.state.epoch(), o.number));
        }
    }

    private void answer(long requestId, Action.AdminVerdict verdict, String words) {
        ctx.add(new Action.AdminAnswer(requestId, verdict, words));
    }
}
