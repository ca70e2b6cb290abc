package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A failover that an operator forces although what was acknowledged may be lost (protocol.md's Promote D), on the leader:
 *
 * <pre>
 *   IDLE --confirmed--> FREEZING (everybody who answers) --the chosen one has, the old lease is over--> PROMOTING --> IDLE
 * </pre>
 *
 * <p>Only where {@link FailoverRound} cannot go on; {@link LossReport} says why, and what may be lost. Those who answer are
 * frozen all the same, so that none of them acknowledges anything more for the old primary. Once somebody is frozen only a
 * committed Promote ends it: what overruns its time is left to {@link FailoverRound}, which goes on as it did before.
 */
final class ForcedFailover {
    private static final long RESEND_NANOS = 20 * Context.MILLIS;
    private static final long STRAGGLER_NANOS = 300 * Context.MILLIS;
    private static final long PATIENCE_NANOS = 10_000 * Context.MILLIS;

    private enum Stage {
        IDLE,
        FREEZING,
        PROMOTING
    }

    private final Context ctx;
    private final Reports reports;
    private final LeaseGranter granter;
    private final PrimaryDuties ownPrimary;
    private final Map<NodeId, CoordMessage.FreezeReply> answers = new HashMap<>();

    private Stage stage = Stage.IDLE;
    private @Nullable NodeId chosen;
    private long epochBefore;
    private long freezeEpoch;
    private long since;
    private long sentAt;
    /** When Raft last refused the promotion; 0 when it did not. */
    private long refusedAt;

    ForcedFailover(Context ctx, Reports reports, LeaseGranter granter, PrimaryDuties ownPrimary) {
        this.ctx = ctx;
        this.reports = reports;
        this.granter = granter;
        this.ownPrimary = ownPrimary;
    }

    /** Nobody else decides who is primary meanwhile. */
    boolean running() {
        return stage != Stage.IDLE;
    }

    void clear() {
        stage = Stage.IDLE;
        chosen = null;
        answers.clear();
    }

    // ---- asked

    /** @param moving whether the primary is being moved in order at this moment */
    void onAsked(long requestId, AdminRequest.ForceFailover r, boolean moving) {
        if (running()) {
            answer(requestId, Action.AdminVerdict.ACCEPTED, "a forced failover to %s goes on".formatted(chosen));
            return;
        }
        if (moving) {
            answer(requestId, Action.AdminVerdict.NOT_NOW, "the primary is being moved");
            return;
        }
        LossReport report = LossReport.of(ctx, reports, r.target());
        String cluster = ctx.state.clusterId();
        if (report.objection() != null) {
            answer(requestId, Action.AdminVerdict.REFUSED, report.objection());
        } else if (!r.acceptsLoss() && r.confirm().isEmpty()) {
            answer(requestId, Action.AdminVerdict.UNCONFIRMED, "cluster %s\n%s".formatted(cluster, report.words()));
        } else if (!r.acceptsLoss() && !r.confirm().equals(cluster)) {
            answer(
                    requestId,
                    Action.AdminVerdict.REFUSED,
                    "this cluster is called %s, not %s".formatted(cluster, r.confirm()));
        } else {
            begin(report);
            answer(requestId, Action.AdminVerdict.ACCEPTED, "%s is made primary by force".formatted(chosen));
        }
    }

    private void begin(LossReport report) {
        stage = Stage.FREEZING;
        chosen = report.chosen();
        epochBefore = ctx.state.epoch();
        freezeEpoch = Math.max(ctx.state.epoch() + 1, reports.highestPromise());
        since = ctx.now;
        sentAt = 0;
        refusedAt = 0;
        answers.clear();
        ctx.tell(
                "failover",
                "is forced by an operator to make %s primary: %s"
                        .formatted(chosen, report.words().replace('\n', ';')));
    }

    private void answer(long requestId, Action.AdminVerdict verdict, String words) {
        ctx.add(new Action.AdminAnswer(requestId, verdict, words));
    }

    // ---- step by step

    void onTick() {
        if (stage == Stage.IDLE) {
            return;
        }
        if (ctx.state.epoch() != epochBefore) {
            granter.resume();
            clear();
        } else if (ctx.now - since > PATIENCE_NANOS) {
            ctx.tell("failover", "gives the forced failover to %s up: it was not done in time".formatted(chosen));
            granter.resume();
            clear();
        } else if (stage == Stage.FREEZING) {
            freeze();
        }
    }

    private void freeze() {
        granter.recall();
        if (reports.highestPromise() > freezeEpoch) {
            freezeEpoch = reports.highestPromise();
            answers.clear();
        }
        if (sentAt == 0 || ctx.now - sentAt >= RESEND_NANOS) {
            sentAt = Math.max(1, ctx.now);
            ctx.state.dataVoters().stream()
                    .filter(m -> !answers.containsKey(m.node()))
                    .forEach(m -> ctx.send(m.node(), new CoordMessage.Freeze(ctx.term, freezeEpoch)));
        }
        NodeId node = chosen;
        CoordMessage.FreezeReply best = node == null ? null : answers.get(node);
        if (node == null || best == null || best.position() == null) {
            return;
        }
        boolean all = ctx.state.dataVoters().stream()
                .allMatch(m -> answers.containsKey(m.node()) || reports.fresh(m.node()) == null);
        boolean waited = all || ctx.now - since >= STRAGGLER_NANOS;
        boolean selfShut = !ctx.self.node().equals(ctx.state.primary()) || !ownPrimary.frontOpen();
        boolean due = refusedAt == 0 || ctx.now - refusedAt >= RESEND_NANOS;
        if (due && waited && granter.over() && selfShut) {
            propose(node, best.generation(), best.position());
        }
    }

    void onFreezeReply(NodeId from, CoordMessage.FreezeReply m) {
        Member member = ctx.state.member(from);
        boolean due = stage == Stage.FREEZING && m.term() == ctx.term && m.epoch() == freezeEpoch;
        if (due && member != null && member.dataVoter() && m.position() != null) {
            answers.put(from, m);
        }
    }

    private void propose(NodeId node, long generation, Position from) {
        ClusterState s = ctx.state;
        stage = Stage.PROMOTING;
        ctx.tell("failover", "promotes %s to epoch %d: forced by an operator".formatted(node, freezeEpoch));
        ctx.add(new Action.Propose(new Command.Promote(
                Command.Condition.of(s),
                freezeEpoch,
                node,
                generation,
                Command.PromoteKind.FORCED,
                ctx.rules.nextTimeline(s),
                from,
                nextRule(s, node, from),
                ctx.wallMillis,
                "forced by an operator")));
    }

    /** Those who answered and lie on its branch; where nobody does it goes on alone, as the operator was told. */
    private Rule nextRule(ClusterState s, NodeId node, Position from) {
        boolean somebody = false;
        for (var e : answers.entrySet()) {
            Position p = e.getValue().position();
            boolean other = !e.getKey().equals(node) && !e.getKey().equals(s.primary());
            somebody |= other && p != null && EpochHistory.ORDER.compare(p, from) <= 0;
        }
        return somebody ? Candidates.nextRule(ctx, node, answers, from) : Rule.ALONE;
    }

    /** Another look, but not at once: Raft refused it at once, and may for a while. */
    void onProposalFailed() {
        if (stage == Stage.PROMOTING) {
            stage = Stage.FREEZING;
            refusedAt = Math.max(1, ctx.now);
        }
    }

    boolean proposed() {
        return stage == Stage.PROMOTING;
    }

    /** How far a node's WAL reaches, by its own word. */
    static Lsn reach(LocalStatus st) {
        Position end = st.position();
        return end == null ? st.flushed() : Lsn.max(st.flushed(), end.lsn());
    }
}
