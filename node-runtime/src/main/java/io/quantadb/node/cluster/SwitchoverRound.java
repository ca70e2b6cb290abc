package io.quantadb.node.cluster;

import io.quantadb.node.cluster.SwitchoverReport.Phase;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * One switchover, by the Raft leader.
 *
 * <pre>
 * IDLE --asked--> PREPARING --checkpoint written, heir close--> HOLDING --held, heir alive--> STOPPING --server down--> CONFIRMING
 *   ^                | given up                                   | given up                                               |
 *   +----------------+-------------------- RESUMING <-------------+                              heir has all of its WAL   |
 *   ^                                                                                                                      v
 *   +--front open-- RELEASING <--epoch applied-- PROMOTING <--both answered, heir holds all-- FREEZING <-------------------+
 * </pre>
 *
 * <p>Up to HOLDING nothing has happened that RESUME does not undo. In CONFIRMING, with nobody frozen, an heir that lacks
 * the last of the WAL makes it RETURNING: the old primary is started in place, in the same epoch. From the first freeze
 * on only a committed Promote ends it, and whatever overruns its time is left to {@link FailoverRound}, which finds a
 * stopped primary and promises as after a crash. So no step here may be taken on the clock's word alone: times end waits,
 * what is promoted is decided by positions.
 *
 * <p>Not in the replicated state: a new leader finds either a primary that serves, and no more is held back, or one that
 * is down. Owned by the core's thread.
 */
final class SwitchoverRound {
    private static final long RESEND_NANOS = 20 * Context.MILLIS;
    private static final long OBJECTION_NANOS = 1_000 * Context.MILLIS;
    private static final long LEAVING_PREPARE_NANOS = 3_000 * Context.MILLIS;
    private static final long HOLD_NANOS = 500 * Context.MILLIS;
    private static final long RESUME_NANOS = 2_000 * Context.MILLIS;
    /** Longer than the server's own stop may take. */
    private static final long STOP_NANOS = 5_000 * Context.MILLIS;

    private static final long CONFIRM_NANOS = 300 * Context.MILLIS;
    private static final long FREEZE_NANOS = 500 * Context.MILLIS;
    /** A slow disk of Raft's: to decide anew would be no quicker. */
    private static final long PROMOTE_NANOS = 2_000 * Context.MILLIS;

    private static final long RETURN_NANOS = 5_000 * Context.MILLIS;
    private static final long SERVES_NANOS = 1_000 * Context.MILLIS;
    private static final long RELEASE_NANOS = 10_000 * Context.MILLIS;

    private enum Stage {
        IDLE,
        PREPARING,
        HOLDING,
        RESUMING,
        STOPPING,
        CONFIRMING,
        FREEZING,
        PROMOTING,
        RETURNING,
        RELEASING
    }

    private final Context ctx;
    private final Reports reports;
    private final LeaseGranter granter;
    private final HandOverFreeze freeze;
    private final SwitchoverTeller teller;

    private Stage stage = Stage.IDLE;
    private @Nullable SwitchoverPlan plan;
    private long round;
    private long since;
    private long sentAt;
    private long objectedAt;
    private boolean prepared;
    private boolean held;
    private boolean heirAlive;
    private Lsn heirFlushed = Lsn.NONE;
    private @Nullable Position end;
    private long releasedAt;
    private String why = "";

    SwitchoverRound(Context ctx, Reports reports, LeaseGranter granter, PrimaryDuties ownPrimary) {
        this.ctx = ctx;
        this.reports = reports;
        this.granter = granter;
        this.freeze = new HandOverFreeze(ctx, reports, granter, ownPrimary);
        this.teller = new SwitchoverTeller(ctx);
    }

    /** Whether the primary's end is of this round's making, so that nobody else need act on it. */
    boolean owns() {
        return switch (stage) {
            case STOPPING, CONFIRMING, FREEZING, PROMOTING, RETURNING -> true;
            case IDLE, PREPARING, HOLDING, RESUMING, RELEASING -> false;
        };
    }

    /** Whether rule and members stand still. */
    boolean underWay() {
        return owns() || stage == Stage.HOLDING || stage == Stage.RESUMING;
    }

    boolean idle() {
        return stage == Stage.IDLE;
    }

    boolean proposed() {
        return stage == Stage.PROMOTING;
    }

    /** Leadership began or ended: who asked finds out by the state. */
    void forget() {
        stage = Stage.IDLE;
        plan = null;
        freeze.clear();
        teller.forget();
    }

    // ---- asked

    /** Answers at once: begun, or why not. Who asks for the same again hears that it was begun. */
    void onAsked(long requestId, SwitchoverRequest request, boolean failingOver) {
        ClusterState s = ctx.state;
        NodeId from = s.primary();
        NodeId before = teller.again(request.id());
        if (before != null) {
            answer(requestId, Action.AdminVerdict.ACCEPTED, before.value());
        } else if (request.epoch() != s.epoch() || from == null) {
            answer(
                    requestId,
                    Action.AdminVerdict.REFUSED,
                    "the primary has changed meanwhile: it is %s, of epoch %d".formatted(from, s.epoch()));
        } else if (failingOver || !s.released()) {
            answer(requestId, Action.AdminVerdict.NOT_NOW, "a failover is under way");
        } else if (stage != Stage.IDLE) {
            answer(requestId, Action.AdminVerdict.REFUSED, "another switchover is under way");
        } else if (s.nextRule() != null) {
            answer(requestId, Action.AdminVerdict.NOT_NOW, "the rule that says who acknowledges is being changed");
        } else {
            begin(requestId, request, from);
        }
    }

    private void begin(long requestId, SwitchoverRequest request, NodeId from) {
        String unable = SwitchoverChecks.primaryObjection(ctx.state, reports);
        SwitchoverChecks.Choice choice = SwitchoverChecks.choose(ctx.state, reports, request.target());
        NodeId heir = choice.heir();
        if (unable != null || heir == null) {
            answer(
                    requestId,
                    Action.AdminVerdict.REFUSED,
                    unable != null ? unable : String.valueOf(choice.objection()));
            return;
        }
        answer(requestId, Action.AdminVerdict.ACCEPTED, heir.value());
        round = Math.max(round + 1, ctx.term << 20);
        plan = new SwitchoverPlan(request, from, heir);
        prepared = false;
        objectedAt = 0;
        end = null;
        heirFlushed = Lsn.NONE;
        freeze.clear();
        enter(Stage.PREPARING);
        teller.begin(request, from, heir);
        teller.tell(Phase.PREPARING, "a checkpoint on %s, and %s close behind it".formatted(from, heir));
        ctx.tell("failover", "prepares the move of the primary from %s to %s".formatted(from, heir));
    }

    private void answer(long requestId, Action.AdminVerdict verdict, String words) {
        ctx.add(new Action.AdminAnswer(requestId, verdict, words));
    }

    // ---- step by step

    void onTick(boolean failingOver) {
        SwitchoverPlan p = plan;
        if (p == null || stage == Stage.IDLE) {
            return;
        }
        teller.repeat();
        if (ctx.state.epoch() != p.request().epoch() && stage != Stage.RELEASING) {
            onOtherEpoch(p);
        } else if (failingOver && stage == Stage.PREPARING) {
            abort("a failover began");
        } else if (failingOver && stage == Stage.HOLDING) {
            resume("a failover began");
        } else if (owns() && overtaken(p)) {
            leaveToFailover("%s or a promise went beyond it".formatted(p.from()));
        } else {
            step(p);
        }
    }

    private void step(SwitchoverPlan p) {
        switch (stage) {
            case IDLE -> {
                // Nothing is under way.
            }
            case PREPARING -> whilePreparing(p);
            case HOLDING -> whileHolding(p);
            case RESUMING -> whileResuming(p);
            case STOPPING -> whileStopping(p);
            case CONFIRMING -> whileConfirming(p);
            case FREEZING -> whileFreezing(p);
            case PROMOTING -> {
                if (passed(PROMOTE_NANOS)) {
                    leaveToFailover("the promotion of %s was not committed in time".formatted(p.heir()));
                }
            }
            case RETURNING -> whileReturning(p);
            case RELEASING -> whileReleasing(p);
        }
    }

    private void whilePreparing(SwitchoverPlan p) {
        if (due()) {
            say(p, CoordMessage.Step.PREPARE);
        }
        String objection = objection(p, SwitchoverChecks.LAG_BYTES_MAX);
        objectedAt = objection == null ? 0 : objectedAt == 0 ? ctx.now : objectedAt;
        boolean longEnough = p.request().leaving() && passed(LEAVING_PREPARE_NANOS);
        boolean close = objection(p, SwitchoverChecks.CLOSE_BYTES) == null;
        if (objection != null && ctx.now - objectedAt >= OBJECTION_NANOS) {
            abort(objection);
        } else if ((prepared || longEnough) && close && ctx.state.nextRule() == null) {
            held = false;
            heirAlive = false;
            enter(Stage.HOLDING);
            teller.over(SwitchoverTeller.PREPARE);
            teller.holds();
            teller.tell(Phase.HOLDING, "transactions under way on %s".formatted(p.from()));
            whileHolding(p);
        } else if (teller.tookMillis() >= p.request().timeoutMillis()) {
            abort(
                    prepared
                            ? "%s did not come close behind %s in time".formatted(p.heir(), p.from())
                            : "%s did not write a checkpoint in time".formatted(p.from()));
        }
    }

    private void whileHolding(SwitchoverPlan p) {
        // It answered when the hold began; what it was then it need not be when the last transaction is over.
        String objection = objection(p, SwitchoverChecks.LAG_BYTES_MAX);
        if (held && heirAlive && objection == null) {
            enter(Stage.STOPPING);
            teller.over(SwitchoverTeller.HOLD);
            teller.tell(
                    Phase.STOPPING, "PostgreSQL of %s ends when %s has all of its WAL".formatted(p.from(), p.heir()));
            whileStopping(p);
        } else if (passed(ctx.millis(p.request().drainMillis()) + HOLD_NANOS)) {
            resume(
                    held
                            ? heirAlive && objection != null
                                    ? objection
                                    : "%s did not answer while transactions were held back".formatted(p.heir())
                            : "%s did not answer that it holds transactions back".formatted(p.from()));
        } else if (due()) {
            say(p, CoordMessage.Step.HOLD);
            ctx.send(p.heir(), new CoordMessage.Probe(ctx.term, -round));
        }
    }

    private void resume(String because) {
        why = because;
        enter(Stage.RESUMING);
    }

    /** Over when the primary says so, or can be asked no more; it resumes by itself in the end. */
    private void whileResuming(SwitchoverPlan p) {
        if (passed(RESUME_NANOS)) {
            abort(why);
        } else if (due()) {
            say(p, CoordMessage.Step.RESUME);
        }
    }

    private void whileStopping(SwitchoverPlan p) {
        LocalStatus st = reports.freshInEpoch(p.from());
        end = st == null ? null : ctx.rules.stoppedAt(st);
        if (end != null) {
            enter(Stage.CONFIRMING);
            teller.over(SwitchoverTeller.STOP);
            whileConfirming(p);
        } else if (passed(STOP_NANOS)) {
            leaveToFailover("%s did not stop in time".formatted(p.from()));
        } else if (due()) {
            say(p, CoordMessage.Step.STOP);
            ctx.send(p.heir(), new CoordMessage.Probe(ctx.term, -round));
        }
    }

    /** The server ends only when the heir has confirmed all; unless it was killed, or the heir's stream broke. */
    private void whileConfirming(SwitchoverPlan p) {
        Position last = end;
        // What the heir follows is the primary's timeline still.
        if (last != null && ctx.rules.holdsAllOf(last, new Position(last.timeline(), heirFlushed))) {
            freeze(p, last);
        } else if (passed(CONFIRM_NANOS)) {
            why = "%s did not get the last of the WAL".formatted(p.heir());
            if (p.request().leaving()) {
                leaveToFailover(why);
            } else {
                enter(Stage.RETURNING);
                teller.tell(Phase.RETURNING, why);
            }
        } else if (due()) {
            ctx.send(p.heir(), new CoordMessage.Probe(ctx.term, -round));
        }
    }

    private void freeze(SwitchoverPlan p, Position stoppedAt) {
        enter(Stage.FREEZING);
        freeze.begin(stoppedAt);
        teller.tell(Phase.PROMOTING, "epoch %d".formatted(freeze.epoch()));
        ctx.tell(
                "failover", "freezes %s, %s and the others for epoch %d".formatted(p.from(), p.heir(), freeze.epoch()));
        whileFreezing(p);
    }

    private void whileFreezing(SwitchoverPlan p) {
        switch (freeze.look(p)) {
            case WAITING -> {
                if (passed(FREEZE_NANOS)) {
                    leaveToFailover("%s or %s did not answer the freeze".formatted(p.from(), p.heir()));
                }
            }
            case PROPOSED -> {
                enter(Stage.PROMOTING);
                teller.over(SwitchoverTeller.FREEZE);
            }
            case LACKING -> leaveToFailover("%s does not hold all that %s has".formatted(p.heir(), p.from()));
        }
    }

    /** Started in place, in its own epoch: nobody has promised to leave it. */
    private void whileReturning(SwitchoverPlan p) {
        if (passed(RETURN_NANOS)) {
            leaveToFailover(why + ", and " + p.from() + " did not start again in time");
        } else if (due()) {
            ctx.send(p.from(), new CoordMessage.RestartInPlace(ctx.term, ctx.state.epoch()));
        }
    }

    private void whileReleasing(SwitchoverPlan p) {
        ClusterState s = ctx.state;
        if (s.epoch() != freeze.epoch()) {
            abort("%s is primary, by a failover".formatted(s.primary()));
            return;
        }
        teller.onReports(p.heir(), reports);
        if (s.released() && releasedAt == 0) {
            releasedAt = ctx.now;
            teller.over(SwitchoverTeller.RELEASE);
            teller.measured();
        }
        if (s.released() && ctx.now - releasedAt >= SERVES_NANOS) {
            finish(p);
        } else if (passed(RELEASE_NANOS)) {
            abort("%s was promoted and does not serve yet".formatted(p.heir()));
        }
    }

    private void onOtherEpoch(SwitchoverPlan p) {
        boolean done = ctx.state.epoch() == freeze.epoch() && p.heir().equals(ctx.state.primary()) && owns();
        if (done) {
            releasedAt = 0;
            enter(Stage.RELEASING);
            teller.over(SwitchoverTeller.COMMIT);
        } else {
            abort("%s is primary, by a failover".formatted(ctx.state.primary()));
        }
    }

    // ---- ends

    private void finish(SwitchoverPlan p) {
        stage = Stage.IDLE;
        plan = null;
        teller.over(SwitchoverTeller.OPEN);
        teller.end(Phase.DONE, ctx.state.epoch(), "");
        ctx.tell(
                "failover", "moved the primary from %s to %s: %s".formatted(p.from(), p.heir(), teller.stepsInWords()));
    }

    /** The old primary serves on, or somebody else does whom this round has nothing to do with. */
    private void abort(String because) {
        stage = Stage.IDLE;
        plan = null;
        teller.end(Phase.ABORTED, ctx.state.epoch(), because);
        ctx.tell("failover", "gives the switchover up: " + because);
    }

    private void leaveToFailover(String because) {
        granter.resume();
        abort(because + "; a failover decides");
    }

    // ---- small things

    private void enter(Stage next) {
        stage = next;
        since = ctx.now;
        sentAt = ctx.now - RESEND_NANOS;
    }

    private boolean passed(long nanos) {
        return ctx.now - since >= ctx.stretched(nanos);
    }

    private boolean due() {
        boolean now = ctx.now - sentAt >= RESEND_NANOS;
        sentAt = now ? ctx.now : sentAt;
        return now;
    }

    private void say(SwitchoverPlan p, CoordMessage.Step step) {
        SwitchoverRequest r = p.request();
        ctx.send(
                p.from(), new CoordMessage.SwitchoverStep(ctx.term, r.epoch(), round, step, p.heir(), r.drainMillis()));
    }

    private @Nullable String objection(SwitchoverPlan p, long lagBytesMax) {
        String primary = SwitchoverChecks.primaryObjection(ctx.state, reports);
        return primary != null ? primary : SwitchoverChecks.objection(ctx.state, reports, p.heir(), lagBytesMax);
    }

    /** The primary's node died, or somebody froze for more than this. */
    private boolean overtaken(SwitchoverPlan p) {
        boolean silent =
                ctx.silenceNanos(p.from()) >= ctx.millis(ctx.state.settings().electionTimeoutMinMillis());
        boolean frozen = stage == Stage.FREEZING || stage == Stage.PROMOTING;
        long expected = frozen ? freeze.epoch() : ctx.state.epoch();
        return (silent && !frozen) || reports.highestPromise() > expected;
    }

    // ---- answers

    void onStepDone(NodeId from, CoordMessage.SwitchoverStepDone m) {
        SwitchoverPlan p = plan;
        if (p == null || m.round() != round || m.epoch() != ctx.state.epoch() || !from.equals(p.from())) {
            return;
        }
        switch (m.step()) {
            case PREPARE -> prepared = true;
            case HOLD -> {
                if (stage == Stage.HOLDING) {
                    teller.held(m.heldMillis());
                    held = true;
                }
            }
            case RESUME -> {
                if (stage == Stage.RESUMING) {
                    teller.measured();
                    abort(why);
                } else if (stage == Stage.HOLDING || stage == Stage.STOPPING) {
                    abort("%s held transactions back no longer".formatted(p.from()));
                }
            }
            case STOP -> {
                // Its end is seen, not told.
            }
        }
    }

    void onProbeReply(NodeId from, CoordMessage.ProbeReply m) {
        SwitchoverPlan p = plan;
        if (p == null || m.round() != -round || m.term() != ctx.term || !from.equals(p.heir())) {
            return;
        }
        reports.keep(from, m.status());
        if (stage == Stage.HOLDING) {
            heirAlive |= objection(p, SwitchoverChecks.LAG_BYTES_MAX) == null;
        }
        if (m.status().appliedEpoch() == p.request().epoch() && m.status().fit()) {
            heirFlushed = Lsn.max(heirFlushed, m.status().flushed());
        }
    }

    void onFreezeReply(NodeId from, CoordMessage.FreezeReply m) {
        freeze.onReply(from, m);
    }

    void onServes(NodeId from, CoordMessage.Serves m) {
        SwitchoverPlan p = plan;
        if (p == null || m.epoch() != ctx.state.epoch()) {
            return;
        }
        if (stage == Stage.RELEASING && from.equals(p.heir()) && m.epoch() == freeze.epoch()) {
            teller.measured();
            finish(p);
        } else if (stage == Stage.RETURNING && from.equals(p.from())) {
            teller.measured();
            abort("%s; %s serves on".formatted(why, p.from()));
        }
    }

    void onProposalFailed() {
        leaveToFailover("the promotion could not be proposed");
    }
}
