package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One failover, by the Raft leader once an entry of its own term is applied.
 *
 * <pre>
 * IDLE --cause--> PROBING --enough would answer, one may be primary--> FREEZING --enough answered, lease over--> PROMOTING
 *   ^                |  cause gone, or restart in place                    |                                        |
 *   +----------------+                                                     +-- the primary is back: Promote B ------+
 * </pre>
 *
 * <p>Probing has no effect and may be given up; from the first freeze on only a committed Promote ends the round, and a
 * new leader that learns of a promise goes on where the old one stopped. All waits are re-sent on ticks.
 */
final class FailoverRound {
    private static final long RESEND_NANOS = 20 * Context.MILLIS;
    private static final long STRAGGLER_NANOS = 15 * Context.MILLIS;
    private static final long RESTART_AFTER_NANOS = 150 * Context.MILLIS;
    private static final long RESTART_PATIENCE_NANOS = 10_000 * Context.MILLIS;
    private static final long KEEP_PRIMARY_AFTER_NANOS = 300 * Context.MILLIS;
    private static final long PROPOSE_AGAIN_NANOS = 500 * Context.MILLIS;
    private static final long FETCH_AGAIN_NANOS = 500 * Context.MILLIS;
    /** A failover that has not begun by then is told, with what it waits for. */
    private static final long TOLD_AFTER_NANOS = 1_000 * Context.MILLIS;

    private static final String GIVEN_UP = "gives up the failover: the primary is well again";

    private enum Phase {
        IDLE,
        PROBING,
        FREEZING,
        PROMOTING
    }

    private final Context ctx;
    private final Reports reports;
    private final LeaseGranter granter;
    private final PrimaryDuties ownPrimary;
    private final BarredEpoch barred;
    private final ReleasedPrimary released;
    private final Causes causes;
    private final HeldBack held;
    private final AsyncFailover async;

    private Phase phase = Phase.IDLE;
    private Cause cause = Cause.gone("");
    private long round;
    private long since;
    private long sentAt;
    private long quorumAt;
    private long proposedAt;
    private long freezeEpoch;
    private boolean fetching;
    private long fetchAt;
    private final Map<NodeId, LocalStatus> probes = new HashMap<>();
    private final Map<NodeId, CoordMessage.FreezeReply> answers = new HashMap<>();

    FailoverRound(Context ctx, Reports reports, LeaseGranter granter, PrimaryDuties ownPrimary) {
        this.ctx = ctx;
        this.reports = reports;
        this.granter = granter;
        this.ownPrimary = ownPrimary;
        this.barred = new BarredEpoch(ctx, reports);
        this.released = new ReleasedPrimary(ctx, reports);
        this.causes = new Causes(ctx, reports, barred);
        this.held = new HeldBack(ctx, reports);
        this.async = new AsyncFailover(ctx, reports);
    }

    /** Whether rule, members and switchovers wait for it: not while it asks, without effect, about a living primary. */
    boolean running() {
        return phase != Phase.IDLE && (phase != Phase.PROBING || !cause.living());
    }

    /** What a failover that is called for waits for, in words for people; empty when none is held back. */
    String heldBack() {
        return held.words();
    }

    /** By an operator's word: a move that was held back begins; it needs nothing of the primary, whose disk may hang. */
    void onAskedToMove() {
        held.override();
    }

    /** Leadership began or ended, or the epoch moved on: nothing of before counts. */
    void reset() {
        phase = Phase.IDLE;
        probes.clear();
        answers.clear();
        causes.clear();
        held.clear();
        freezeEpoch = 0;
        quorumAt = 0;
        fetching = false;
        granter.resume();
    }

    /** A new incarnation of that node asks to join: the old one is gone for good. */
    void onReplaced(NodeId node) {
        causes.onReplaced(node);
    }

    void onTick() {
        if (!ctx.leads()) {
            return;
        }
        Cause now = causes.now();
        if (now == null || !now.living()) {
            held.livingCauseOver();
        }
        if (now == null) {
            if (phase == Phase.PROBING) {
                boolean started = cause.kind() == Cause.Kind.NOT_STARTED;
                ctx.tell("failover", started ? "the primary's PostgreSQL runs" : GIVEN_UP);
                reset();
            } else if (phase == Phase.IDLE) {
                held.clear();
            }
        } else if (phase == Phase.PROBING && cause.living() != now.living()) {
            reset();
        }
        if (phase == Phase.IDLE) {
            if (now != null && held.mayBegin(now)) {
                begin(now);
            }
        } else if (ctx.now - sentAt >= RESEND_NANOS) {
            send();
        }
        decide();
    }

    private void begin(Cause now) {
        phase = Phase.PROBING;
        cause = now;
        since = ctx.now;
        held.clear();
        round++;
        probes.clear();
        String what =
                now.kind() == Cause.Kind.NOT_STARTED ? "starts epoch %d: %s" : "considers a failover from epoch %d: %s";
        ctx.tell("failover", what.formatted(ctx.state.epoch(), now.words()));
        send();
    }

    private void send() {
        sentAt = ctx.now;
        ClusterState s = ctx.state;
        for (Member m : s.members().values()) {
            if (m.kind() != MemberKind.DATA) {
                continue;
            }
            if (!probes.containsKey(m.node())) {
                // While freezing too: who was silent at first may turn out to be the furthest ahead.
                ctx.send(m.node(), new CoordMessage.Probe(ctx.term, round));
            }
            if (phase == Phase.FREEZING && governs(m.node()) && !answers.containsKey(m.node())) {
                ctx.send(m.node(), new CoordMessage.Freeze(ctx.term, freezeEpoch));
            }
        }
    }

    /** Whether answers of this node are asked for: it stands in R; with k = 0 everybody who holds data. */
    private boolean governs(NodeId node) {
        ClusterState s = ctx.state;
        return async.applies()
                ? async.asks(node, probes)
                : s.rule().set().stream().anyMatch(ref -> ref.node().equals(node));
    }

    // ---- answers

    void onProbeReply(NodeId from, CoordMessage.ProbeReply reply) {
        if (reply.term() != ctx.term || reply.round() != round || ctx.state.member(from) == null) {
            return;
        }
        reports.keep(from, reply.status());
        probes.put(from, reply.status());
        decide();
    }

    void onFreezeReply(NodeId from, CoordMessage.FreezeReply reply) {
        boolean due = phase == Phase.FREEZING && reply.term() == ctx.term && reply.epoch() == freezeEpoch;
        if (!due || ctx.state.member(from) == null || reply.position() == null) {
            return;
        }
        MemberRef answered = new MemberRef(from, reply.generation());
        if (async.applies() ? governs(from) : ctx.rules.answersFor(ctx.state.rule(), answered)) {
            answers.put(from, reply);
            decide();
        }
    }

    void onFetchReply(NodeId from, CoordMessage.FetchReply reply) {
        CoordMessage.FreezeReply before = answers.get(from);
        Position p = reply.position();
        if (phase == Phase.FREEZING && reply.term() == ctx.term && reply.epoch() == freezeEpoch && p != null) {
            fetching = false;
            if (before != null) {
                answers.put(
                        from,
                        new CoordMessage.FreezeReply(
                                reply.term(), reply.epoch(), before.generation(), p, before.replayed()));
            }
            decide();
        }
    }

    /** Not again at once: it may have been refused at once. */
    void onProposalFailed() {
        if (phase == Phase.PROMOTING) {
            proposedAt = ctx.now - PROPOSE_AGAIN_NANOS + RESEND_NANOS;
        }
    }

    private void decideAnew() {
        phase = freezeEpoch > 0 ? Phase.FREEZING : Phase.PROBING;
        sentAt = ctx.now;
    }

    // ---- deciding

    private void decide() {
        switch (phase) {
            case IDLE -> {}
            case PROBING -> decideProbing();
            case FREEZING -> decideFreezing();
            case PROMOTING -> {
                if (ctx.now - proposedAt > ctx.stretched(PROPOSE_AGAIN_NANOS)) {
                    decideAnew();
                }
            }
        }
    }

    private void decideProbing() {
        ClusterState s = ctx.state;
        LocalStatus p = reports.freshInEpoch(s.primary());
        boolean promised = reports.highestPromise() > s.epoch();
        if (promised && keepable(p) && running(p)) {
            keepPrimary();
            return;
        }
        boolean restartable = !promised && intact(p) && !running(p);
        if (restartable && p != null && !p.everRan() && ctx.now - since < RESTART_PATIENCE_NANOS) {
            restartInPlace();
            return;
        }
        if (cause.kind() == Cause.Kind.BARRED && !barred.returned()) {
            returnToReleased();
            return;
        }
        if (enoughWouldAnswer()) {
            if (!inMaintenance(promised)) {
                freeze();
                return;
            }
            held.say(HeldBack.MAINTENANCE);
        } else if (ctx.now - since >= TOLD_AFTER_NANOS && cause.kind() != Cause.Kind.NOT_STARTED) {
            held.sayMissing(cause, probes);
        }
        if (restartable && ctx.now - since >= (s.rule().k() == 0 ? 0 : ctx.stretched(RESTART_AFTER_NANOS))) {
            restartInPlace();
        } else if (ctx.now - since >= ctx.stretched(KEEP_PRIMARY_AFTER_NANOS)) {
            fallBack(p, promised);
        }
    }

    /** B, where A has waited long enough: the primary keeps its epoch's rights, or the last released one returns. */
    private void fallBack(@Nullable LocalStatus p, boolean promised) {
        ClusterState s = ctx.state;
        if (promised && keepable(p)) {
            keepPrimary();
        } else if (!s.released()) {
            returnToReleased();
        }
    }

    /** Maintenance: none begins, while the server may still be started in its place; one that has begun goes on. */
    private boolean inMaintenance(boolean promised) {
        return ctx.rules.mayHoldBack(ctx.state, promised)
                && ctx.state.settings().pausedAt(ctx.wallMillis);
    }

    private boolean keepable(@Nullable LocalStatus p) {
        return intact(p) && (ctx.state.released() || (keptSinceRelease() && running(p)));
    }

    /**
     * The epoch is unreleased, and yet its primary is the last released one and has gone on with its timeline ever
     * since, so that the history owes no fork. Its server runs and cannot be promoted again; without another epoch it
     * would never be followed by a member that has promised to leave this one.
     */
    private boolean keptSinceRelease() {
        ClusterState s = ctx.state;
        return s.primary() != null
                && s.primary().equals(s.releasedPrimary())
                && s.primaryGeneration() == s.releasedGeneration()
                && !s.history().getLast().ownTimeline();
    }

    /** The primary has all that it wrote in this epoch's timeline, and the epoch did not begin that timeline unreleased. */
    private boolean intact(@Nullable LocalStatus p) {
        ClusterState s = ctx.state;
        boolean written = s.released() || !s.history().getLast().ownTimeline();
        if (p == null || !written || p.generation() != s.primaryGeneration() || !p.fit()) {
            return false;
        }
        Position end = p.position();
        return running(p) || (p.server() == ServerState.DOWN && end != null && end.timeline() == s.timeline());
    }

    private boolean running(@Nullable LocalStatus p) {
        return p != null && p.server() == ServerState.PRIMARY && p.timeline() == ctx.state.timeline();
    }

    private void restartInPlace() {
        NodeId primary = ctx.state.primary();
        if (primary != null && ctx.now - proposedAt > 50 * Context.MILLIS) {
            proposedAt = ctx.now;
            ctx.send(primary, new CoordMessage.RestartInPlace(ctx.term, ctx.state.epoch()));
        }
    }

    private boolean enoughWouldAnswer() {
        ClusterState s = ctx.state;
        if (async.applies()) {
            boolean waited = ctx.now - since >= ctx.stretched(KEEP_PRIMARY_AFTER_NANOS);
            return waited && probes.keySet().stream().anyMatch(n -> !n.equals(s.primary()) && mayLead(n));
        }
        if (s.rule().k() == 0) {
            return false;
        }
        int would = 0;
        boolean able = false;
        for (var e : probes.entrySet()) {
            LocalStatus st = e.getValue();
            boolean data = st.server() != ServerState.EMPTY;
            if (data && ctx.rules.answersFor(s.rule(), new MemberRef(e.getKey(), st.generation()))) {
                would++;
                able |= mayLead(e.getKey());
            }
        }
        return able && would >= ctx.rules.freezeQuorum(s.rule());
    }

    private boolean mayLead(NodeId node) {
        return Candidates.eligible(ctx, node, reports.latest(node, probes)) && !node.equals(unfitPrimary());
    }

    private @Nullable NodeId unfitPrimary() {
        return ctx.state.released() ? ctx.state.primary() : null;
    }

    private void freeze() {
        phase = Phase.FREEZING;
        since = ctx.now;
        held.clear();
        quorumAt = 0;
        freezeEpoch = Math.max(ctx.state.epoch() + 1, reports.highestPromise());
        answers.clear();
        granter.recall();
        ctx.tell("failover", "freezes the members of the rule for epoch " + freezeEpoch);
        send();
    }

    private void decideFreezing() {
        ClusterState s = ctx.state;
        if (reports.highestPromise() > freezeEpoch) {
            freeze();
            return;
        }
        granter.recall();
        boolean enough = async.applies()
                ? async.answered(probes, answers, since)
                : answers.size() >= ctx.rules.freezeQuorum(s.rule());
        if (!enough) {
            if (ctx.now - since >= ctx.stretched(KEEP_PRIMARY_AFTER_NANOS)) {
                fallBack(reports.freshInEpoch(s.primary()), true);
            }
            return;
        }
        if (quorumAt == 0) {
            quorumAt = ctx.now;
        }
        boolean allIn = probes.keySet().stream().filter(this::governs).allMatch(answers::containsKey);
        boolean waited = allIn || ctx.now - quorumAt >= STRAGGLER_NANOS;
        boolean selfShut = !ctx.self.node().equals(s.primary()) || !ownPrimary.frontOpen();
        if (waited && granter.over() && selfShut) {
            choose();
        }
    }

    private void choose() {
        ClusterState s = ctx.state;
        Position best = Candidates.best(answers);
        if (best == null) {
            return;
        }
        NodeId chosen = Candidates.choose(ctx.rules, s, answers, n -> reports.latest(n, probes), best, ctx.self.node());
        if (chosen == null) {
            fetchFor(best);
            return;
        }
        CoordMessage.FreezeReply answer = answers.get(chosen);
        if (answer != null && async.applies()) {
            ctx.tell("failover", async.loss(best));
        }
        if (answer != null) {
            propose(
                    chosen,
                    answer.generation(),
                    async.applies() ? Command.PromoteKind.ASYNC : Command.PromoteKind.FROZEN,
                    ctx.rules.nextTimeline(s),
                    best,
                    Candidates.nextRule(ctx, chosen, answers, best));
        }
    }

    /** The furthest ahead may not be primary: one that may fetches what it lacks, frozen; where none may, B is left. */
    private void fetchFor(Position best) {
        if (fetching && ctx.now - fetchAt < FETCH_AGAIN_NANOS) {
            return;
        }
        NodeId source = null;
        NodeId target = null;
        for (var e : answers.entrySet()) {
            if (best.equals(e.getValue().position())) {
                source = e.getKey();
            } else if (mayLead(e.getKey())) {
                target = e.getKey();
            }
        }
        if (source != null && target != null) {
            fetching = true;
            fetchAt = ctx.now;
            ctx.send(source, new CoordMessage.ServeFetch(ctx.term, freezeEpoch, target));
            ctx.send(target, new CoordMessage.Fetch(ctx.term, freezeEpoch, source, best));
        } else if (ctx.now - quorumAt >= KEEP_PRIMARY_AFTER_NANOS) {
            fallBack(reports.freshInEpoch(ctx.state.primary()), true);
        }
    }

    private void keepPrimary() {
        ClusterState s = ctx.state;
        NodeId primary = s.primary();
        if (primary != null) {
            Rule next = s.nextRule() != null ? s.nextRule() : s.rule();
            propose(
                    primary,
                    s.primaryGeneration(),
                    Command.PromoteKind.SAME_PRIMARY,
                    s.timeline(),
                    new Position(s.timeline(), Lsn.NONE),
                    next);
        }
    }

    /** The current epoch acknowledged nothing and its rule cannot be asked: the last released primary has everything. */
    private void returnToReleased() {
        ClusterState s = ctx.state;
        NodeId node = s.releasedPrimary();
        LocalStatus st = released.ready(freezeEpoch);
        Position end = st == null ? null : st.position();
        if (node != null && st != null && end != null) {
            Rule rule = Candidates.nextRule(ctx, node, answers, end);
            reports.promiseSeen(st.promise());
            propose(node, st.generation(), Command.PromoteKind.SAME_PRIMARY, ctx.rules.nextTimeline(s), end, rule);
        }
    }

    private void propose(
            NodeId node, long generation, Command.PromoteKind kind, int timeline, Position from, Rule next) {
        ClusterState s = ctx.state;
        long epoch = Math.max(s.epoch() + 1, Math.max(freezeEpoch, reports.highestPromise()));
        phase = Phase.PROMOTING;
        proposedAt = ctx.now;
        ctx.tell("failover", "promotes %s to epoch %d: %s".formatted(node, epoch, cause.words()));
        ctx.add(new Action.Propose(new Command.Promote(
                Command.Condition.of(s),
                epoch,
                node,
                generation,
                kind,
                timeline,
                from,
                next,
                ctx.wallMillis,
                cause.words())));
    }
}
