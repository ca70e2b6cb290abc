package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * What the Raft leader must do once it has applied an entry of its own term: hear reports, fail over, keep the rule and
 * the members as they should be, grant leases, and hand leadership to the primary's node.
 */
final class LeaderDuties {
    private static final long SETTLE_NANOS = 1_500 * Context.MILLIS;
    private static final long TRANSFER_AGAIN_NANOS = 1_000 * Context.MILLIS;

    private final Context ctx;
    private final Reports reports;
    private final LeaseGranter granter;
    private final FailoverRound failover;
    private final SwitchoverRound switchover;
    private final RuleKeeper ruleKeeper;
    private final VersionKeeper versions;
    private final MembershipKeeper members;
    private final ResyncDuties resync;
    private final AdminDuties admin;
    private final ElectionTuner tuner;
    private final FenceDuties fence;
    private final RestartDuties restarts;
    private final ForcedFailover forced;
    private long leadingTerm;
    private long epochSeen;
    private long transferAt;
    private long releasedEpoch;
    private long releasedAt;

    LeaderDuties(Context ctx, LeaseGranter granter, PrimaryDuties ownPrimary) {
        this.ctx = ctx;
        this.granter = granter;
        this.reports = new Reports(ctx);
        this.failover = new FailoverRound(ctx, reports, granter, ownPrimary);
        this.switchover = new SwitchoverRound(ctx, reports, granter, ownPrimary);
        this.ruleKeeper = new RuleKeeper(ctx, reports);
        this.versions = new VersionKeeper(ctx);
        this.members = new MembershipKeeper(ctx, reports, versions);
        this.resync = new ResyncDuties(ctx);
        this.admin = new AdminDuties(ctx, reports, resync);
        this.tuner = new ElectionTuner(ctx);
        this.fence = new FenceDuties(ctx, reports, switchover);
        this.restarts = new RestartDuties(ctx, reports, admin);
        this.forced = new ForcedFailover(ctx, reports, granter, ownPrimary);
    }

    boolean failingOver() {
        return failover.running();
    }

    /** What a failover that is called for waits for; empty when none is held back, and where this node does not lead. */
    String heldBack() {
        return ctx.leads() ? failover.heldBack() : "";
    }

    void reconcile() {
        if (!ctx.leads()) {
            if (leadingTerm != 0) {
                leadingTerm = 0;
                failover.reset();
                switchover.forget();
                reports.clear();
                members.clear();
                resync.clear();
                fence.clear();
                restarts.clear();
                forced.clear();
            }
            return;
        }
        if (leadingTerm != ctx.term) {
            leadingTerm = ctx.term;
            transferAt = 0;
            reports.clear();
            failover.reset();
            switchover.forget();
            forced.clear();
            granter.onLeading();
            tuner.clear();
            versions.clear();
            ctx.tell("cluster", "leads in term " + ctx.term);
        }
        if (epochSeen != ctx.state.epoch()) {
            epochSeen = ctx.state.epoch();
            failover.reset();
        }
        tuner.onTick();
        versions.onTick();
        members.leaving().forEach(failover::onReplaced);
        if (!switchover.owns() && !forced.running()) {
            failover.onTick();
        }
        forced.onTick();
        switchover.onTick(failover.running());
        fence.onTick();
        if (!failover.running() && !switchover.underWay() && !forced.running()) {
            ruleKeeper.onTick(members.leaving(), resync.outOfTheRule());
            members.onTick();
            resync.onTick();
            restarts.onTick();
        }
        if (!failover.running() && switchover.idle() && !forced.running()) {
            followPrimary();
        }
    }

    /** Leadership goes where the primary is. */
    private void followPrimary() {
        NodeId primary = ctx.state.primary();
        Member m = primary == null ? null : ctx.state.member(primary);
        if (m == null || primary == null || primary.equals(ctx.self.node()) || !ctx.voters.contains(m.peer())) {
            return;
        }
        if (!ctx.state.released()) {
            // A leader that won by transfer has no lease for a while, and the front waits for one to open.
            releasedEpoch = 0;
            return;
        }
        if (releasedEpoch != ctx.state.epoch()) {
            releasedEpoch = ctx.state.epoch();
            releasedAt = ctx.now;
        }
        if (ctx.now - releasedAt < SETTLE_NANOS) {
            return;
        }
        LocalStatus st = reports.freshInEpoch(primary);
        boolean there = st != null && st.fit() && st.appliedIndex() + 10 >= ctx.appliedIndex;
        boolean working = st != null && (st.server() == ServerState.PRIMARY || st.server() == ServerState.PROMOTING);
        if (there && working && (transferAt == 0 || ctx.now - transferAt > TRANSFER_AGAIN_NANOS)) {
            transferAt = ctx.now;
            ctx.tell("cluster", "hands leadership to the primary's node " + primary);
            ctx.add(new Action.TransferLeadership(primary));
        }
    }

    // ---- what happens

    void onMessage(NodeId from, CoordMessage message) {
        if (!ctx.leads() || message.term() != ctx.term) {
            return;
        }
        switch (message) {
            case CoordMessage.Report m -> reports.onReport(from, m);
            case CoordMessage.ProbeReply m -> {
                failover.onProbeReply(from, m);
                switchover.onProbeReply(from, m);
            }
            case CoordMessage.FreezeReply m -> {
                failover.onFreezeReply(from, m);
                switchover.onFreezeReply(from, m);
                forced.onFreezeReply(from, m);
            }
            case CoordMessage.SwitchoverStepDone m -> switchover.onStepDone(from, m);
            case CoordMessage.Pace m -> tuner.onPace(from, m);
            case CoordMessage.Reads m -> versions.onReads(from, m);
            case CoordMessage.Serves m -> switchover.onServes(from, m);
            case CoordMessage.FetchReply m -> failover.onFetchReply(from, m);
            case CoordMessage.LeaseRequest m -> granter.onRequest(from, m);
            case CoordMessage.LeaseReturned m -> granter.onReturned(m);
            case CoordMessage.NextRuleSatisfied m -> {
                if (!failover.running()) {
                    ruleKeeper.onSatisfied(from, m);
                }
            }
            default -> {
                // The rest is for members, or for information.
            }
        }
    }

    void onPaced(Event.Paced e) {
        if (ctx.leads()) {
            tuner.onPaced(e);
        }
    }

    void onJoinAsked(Event.JoinAsked join) {
        members.onJoinAsked(join);
    }

    void onMemberTold(Event.MemberTold told) {
        members.onMemberTold(told);
    }

    void onAdminAsked(Event.AdminAsked asked) {
        String notNow = ctx.leads() ? notNow(asked.request()) : null;
        if (notNow != null) {
            ctx.add(new Action.AdminAnswer(asked.requestId(), Action.AdminVerdict.NOT_NOW, notNow));
        } else if (ctx.leads() && asked.request() instanceof AdminRequest.Switchover(SwitchoverRequest wanted)) {
            switchover.onAsked(asked.requestId(), wanted, failover.running());
            if (!switchover.idle()) {
                failover.onAskedToMove();
            }
        } else if (ctx.leads() && asked.request() instanceof AdminRequest.FenceMember wanted) {
            fence.onAsked(asked.requestId(), wanted, failover.running(), busy());
        } else if (ctx.leads() && asked.request() instanceof AdminRequest.RestartServer wanted) {
            restarts.onAsked(asked.requestId(), wanted, busy());
        } else if (ctx.leads() && asked.request() instanceof AdminRequest.ForceFailover wanted) {
            forced.onAsked(asked.requestId(), wanted, switchover.underWay());
        } else {
            admin.onAsked(asked, busy());
        }
    }

    /** Requests of several operators, each of which may be granted, and not all of them together; null for one that may. */
    private @Nullable String notNow(AdminRequest request) {
        NodeId copied = resync.target();
        // A node that leaves goes in any case: what becomes of the one that is copied it learns on the way.
        boolean needsAll = request instanceof AdminRequest.RemoveMember
                || (request instanceof AdminRequest.Switchover(SwitchoverRequest wanted) && !wanted.leaving());
        if (needsAll && copied != null) {
            return copied + " is about to be copied anew";
        }
        if (request instanceof AdminRequest.Resync && !switchover.idle()) {
            return "the primary is being moved";
        }
        boolean waits = !(request instanceof AdminRequest.Switchover) && ctx.changes.underWay();
        return waits ? "another change is being made" : null;
    }

    /** Why members and mode stand still; null when they do not. */
    private @Nullable String busy() {
        if (failover.running() || forced.running()) {
            String waits = failover.heldBack();
            return waits.isEmpty() ? "a failover is under way" : "a failover is called for and held back: " + waits;
        }
        return switchover.underWay() ? "the primary is being moved" : null;
    }

    void onStateOrMembership() {
        members.onChange();
    }

    void onProposalFailed(Command command) {
        ctx.changes.onFailed(command);
        versions.onFailed(command);
        if (command instanceof Command.Promote) {
            if (switchover.proposed()) {
                switchover.onProposalFailed();
            } else if (forced.proposed()) {
                forced.onProposalFailed();
            } else {
                failover.onProposalFailed();
            }
        } else {
            ruleKeeper.onProposalFailed();
        }
    }
}
