package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The end of a switchover, once the old primary's server is down: its freeze, the heir's and everybody else's, and the
 * Promote that follows from the first two answers alone (E of ADR 0020). Both have promised the epoch on disk, so that
 * nothing is acknowledged any more in an epoch below, and the heir holds all that the old primary ever had.
 */
final class HandOverFreeze {
    private static final long RESEND_NANOS = 20 * Context.MILLIS;
    private static final long STRAGGLER_NANOS = 15 * Context.MILLIS;

    /** What a look at the answers tells. */
    enum Look {
        WAITING,
        PROPOSED,
        /** The heir does not hold all that the old primary has. */
        LACKING
    }

    private final Context ctx;
    private final Reports reports;
    private final LeaseGranter granter;
    private final PrimaryDuties ownPrimary;
    private final Map<NodeId, CoordMessage.FreezeReply> answers = new HashMap<>();
    private @Nullable Position end;
    private boolean asking;
    private long epoch;
    private long sentAt;
    private long bothAt;

    HandOverFreeze(Context ctx, Reports reports, LeaseGranter granter, PrimaryDuties ownPrimary) {
        this.ctx = ctx;
        this.reports = reports;
        this.granter = granter;
        this.ownPrimary = ownPrimary;
    }

    /** The epoch that is frozen for, 0 before {@link #begin}. */
    long epoch() {
        return epoch;
    }

    void clear() {
        asking = false;
        epoch = 0;
        answers.clear();
    }

    /** @param stoppedAt where the old primary said that its WAL ends */
    void begin(Position stoppedAt) {
        answers.clear();
        asking = true;
        end = stoppedAt;
        bothAt = 0;
        sentAt = ctx.now - RESEND_NANOS;
        epoch = Math.max(ctx.state.epoch() + 1, reports.highestPromise());
    }

    void onReply(NodeId from, CoordMessage.FreezeReply m) {
        Member member = ctx.state.member(from);
        boolean due = asking && m.term() == ctx.term && m.epoch() == epoch;
        if (due && member != null && m.generation() == member.generation() && m.position() != null) {
            answers.put(from, m);
        }
    }

    /** Asks who has not answered; proposes when all is there, and the old lease is surely over. */
    Look look(SwitchoverPlan plan) {
        granter.recall();
        if (ctx.now - sentAt >= RESEND_NANOS) {
            sentAt = ctx.now;
            ctx.state.dataVoters().stream()
                    .filter(m -> !answers.containsKey(m.node()))
                    .forEach(m -> ctx.send(m.node(), new CoordMessage.Freeze(ctx.term, epoch)));
        }
        CoordMessage.FreezeReply heirs = answers.get(plan.heir());
        Position last = ctx.rules.endOfPrimary(end, answers.get(plan.from()));
        if (last == null || heirs == null) {
            return Look.WAITING;
        }
        Position got = Objects.requireNonNull(heirs.position(), "answers without a position are not kept");
        if (!ctx.rules.holdsAllOf(last, got)) {
            return Look.LACKING;
        }
        bothAt = bothAt == 0 ? ctx.now : bothAt;
        boolean waited = ctx.now - bothAt >= STRAGGLER_NANOS || allAnswered();
        boolean selfShut = !ctx.self.node().equals(plan.from()) || !ownPrimary.frontOpen();
        if (!waited || !selfShut || !granter.over()) {
            return Look.WAITING;
        }
        asking = false;
        propose(plan, heirs.generation(), got);
        return Look.PROPOSED;
    }

    /** Whether everybody has answered who was heard of lately. */
    private boolean allAnswered() {
        return ctx.state.dataVoters().stream()
                .allMatch(m -> answers.containsKey(m.node()) || reports.fresh(m.node()) == null);
    }

    private void propose(SwitchoverPlan plan, long generation, Position from) {
        ClusterState s = ctx.state;
        boolean leaving = plan.request().leaving();
        String reason = FailoverRecord.PLANNED + (leaving ? ": %s leaves".formatted(plan.from()) : ", asked for");
        ctx.tell("failover", "promotes %s to epoch %d: %s".formatted(plan.heir(), epoch, reason));
        ctx.add(new Action.Propose(new Command.Promote(
                Command.Condition.of(s),
                epoch,
                plan.heir(),
                generation,
                Command.PromoteKind.HANDED_OVER,
                ctx.rules.nextTimeline(s),
                from,
                Candidates.handedOverRule(s, plan.heir(), answers, from, leaving),
                ctx.wallMillis,
                reason)));
    }
}
