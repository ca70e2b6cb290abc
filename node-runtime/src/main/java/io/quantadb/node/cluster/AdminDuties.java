package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Answers an operator's requests on the leader: refuses what would stop the cluster, and proposes the rest. What it
 * proposes is carried on by {@link MembershipKeeper} and {@link RuleKeeper}, whoever leads then.
 */
final class AdminDuties {
    private static final long CAUGHT_UP_BYTES = 16L << 20;

    private final Context ctx;
    private final Reports reports;
    private final ResyncDuties resync;

    AdminDuties(Context ctx, Reports reports, ResyncDuties resync) {
        this.ctx = ctx;
        this.reports = reports;
        this.resync = resync;
    }

    /** @param busy what has to end first, if anything */
    void onAsked(Event.AdminAsked asked, @Nullable String busy) {
        if (!ctx.leads()) {
            answer(asked, Action.AdminVerdict.NOT_LEADER, ctx.leaderId == null ? "" : ctx.leaderId.value());
            return;
        }
        if (asked.request() instanceof AdminRequest.Pause(long untilMillis)) {
            // At any time: it is what a failover that is held back waits for.
            pause(asked, untilMillis);
            return;
        }
        if (asked.request() instanceof AdminRequest.Tune r) {
            // At any time as well: it may be what lets a failover begin.
            tune(asked, r);
            return;
        }
        if (asked.request() instanceof AdminRequest.SetPlacement r) {
            // At any time too: a failover may wait for one whose priority is not 0.
            place(asked, r);
            return;
        }
        if (busy != null || !ctx.state.released()) {
            answer(asked, Action.AdminVerdict.NOT_NOW, busy == null ? "a failover is under way" : busy);
            return;
        }
        switch (asked.request()) {
            case AdminRequest.RemoveMember r -> remove(asked, r);
            case AdminRequest.ChangeMode r -> changeMode(asked, r);
            case AdminRequest.ChangeMinorityReads r -> changeReads(asked, r);
            case AdminRequest.Maintain r -> maintain(asked, r);
            case AdminRequest.SetUpstream r -> setUpstream(asked, r);
            case AdminRequest.Resync r -> resync(asked, r);
            case AdminRequest.Switchover _ -> throw new IllegalArgumentException("taken by SwitchoverRound");
            case AdminRequest.FenceMember _ -> throw new IllegalArgumentException("taken by FenceDuties");
            case AdminRequest.RestartServer _ -> throw new IllegalArgumentException("taken by RestartDuties");
            case AdminRequest.ForceFailover _ -> throw new IllegalArgumentException("taken by ForcedFailover");
            case AdminRequest.Pause r -> throw new IllegalStateException("answered above: " + r);
            case AdminRequest.SetPlacement r -> throw new IllegalStateException("answered above: " + r);
            case AdminRequest.Tune r -> throw new IllegalStateException("answered above: " + r);
        }
    }

    // ---- removal

    private void remove(Event.AdminAsked asked, AdminRequest.RemoveMember r) {
        Member m = ctx.state.member(r.node());
        if (m == null) {
            refuse(asked, unknown(r.node()));
            return;
        }
        if (m.state() == MemberState.LEAVING) {
            answer(asked, Action.AdminVerdict.ACCEPTED, m.node() + " is being removed already");
            return;
        }
        String other = leavingOther(m);
        if (other != null) {
            answer(asked, Action.AdminVerdict.NOT_NOW, other + " is being removed; one at a time");
            return;
        }
        String why = mayNotLeave(m, r.anyway());
        if (why != null) {
            refuse(asked, why);
            return;
        }
        ctx.tell("cluster", "removes member %s, as asked".formatted(m.node()));
        ctx.add(new Action.Propose(new Command.SetMemberState(m.peer(), MemberState.LEAVING)));
        answer(asked, Action.AdminVerdict.ACCEPTED, m.node() + " is being removed");
    }

    private @Nullable String leavingOther(Member m) {
        return ctx.state.members().values().stream()
                .filter(o -> o.state() == MemberState.LEAVING && !o.peer().equals(m.peer()))
                .map(o -> o.node().value())
                .findFirst()
                .orElse(null);
    }

    /** Why the cluster would stop, or could lose nobody more, without this member; null when it may go. */
    private @Nullable String mayNotLeave(Member m, boolean anyway) {
        ClusterState s = ctx.state;
        if (m.node().equals(s.primary())) {
            return "%s is the primary: switch over to another node first".formatted(m.node());
        }
        int voters = 0;
        int alive = 0;
        for (PeerId peer : ctx.voters) {
            if (!peer.equals(m.peer())) {
                voters++;
                alive += peer.equals(ctx.self) || reports.fresh(peer.node()) != null ? 1 : 0;
            }
        }
        if (!ctx.voters.contains(m.peer())) {
            return null;
        }
        if (alive < voters / 2 + 1) {
            return "without %s only %d of %d voters would be heard, and no majority: bring another back first"
                    .formatted(m.node(), alive, voters);
        }
        String needed = acknowledges(m);
        if (needed != null) {
            return needed;
        }
        return voters == 2 && !anyway
                ? "two voters would be left, and of two data nodes the second soon only follows, so that nobody takes over from the primary by itself: add a node or a witness first, or insist"
                : null;
    }

    /** With the policy to block, commits must find enough of the others. */
    private @Nullable String acknowledges(Member leaving) {
        ClusterState s = ctx.state;
        if (!leaving.dataVoter() || s.settings().policy() == Settings.Policy.SHRINK) {
            return null;
        }
        int others = others(leaving);
        int k = needed(leaving, false);
        int usable = usable(leaving);
        return usable >= k
                ? null
                : "without %s commits would wait for %d of %d members, and %d stream at this moment: bring one back first"
                        .formatted(leaving.node(), k, others, usable);
    }

    /** Data voters beside the primary and this one. */
    private int others(Member without) {
        return (int) ctx.state.dataVoters().stream()
                .filter(m -> !m.peer().equals(without.peer()) && !m.node().equals(ctx.state.primary()))
                .count();
    }

    /** How many of them stream and have nearly all. */
    private int usable(Member without) {
        return (int) ctx.state.dataVoters().stream()
                .filter(m -> !m.peer().equals(without.peer()) && !m.node().equals(ctx.state.primary()))
                .filter(m -> reports.caughtUp(m, CAUGHT_UP_BYTES))
                .count();
    }

    /** How many must acknowledge by the mode, when this one stays a member or when it goes. */
    private int needed(Member m, boolean stays) {
        int others = others(m) + (stays && m.dataVoter() ? 1 : 0);
        return switch (ctx.state.settings().mode()) {
            case QUORUM -> (others + 1) / 2;
            case ALL -> others;
            case ASYNC -> 0;
        };
    }

    // ---- copying anew

    private void resync(Event.AdminAsked asked, AdminRequest.Resync r) {
        Member m = ctx.state.member(r.node());
        if (m == null) {
            refuse(asked, unknown(r.node()));
            return;
        }
        NodeId already = copies(m);
        if (already != null) {
            boolean same = already.equals(m.node());
            answer(
                    asked,
                    same ? Action.AdminVerdict.ACCEPTED : Action.AdminVerdict.NOT_NOW,
                    same
                            ? m.node() + " is being copied anew already"
                            : already + " is being copied anew; one at a time");
            return;
        }
        String why = mayNotBeCopied(m);
        if (why != null) {
            refuse(asked, why);
            return;
        }
        String waits = wouldWait(m, "is copied anew");
        if (waits != null && !r.anyway()) {
            refuse(asked, waits);
            return;
        }
        ctx.tell("replication", "has %s copied anew, as asked".formatted(m.node()));
        resync.begin(m, waits == null);
        answer(
                asked,
                Action.AdminVerdict.ACCEPTED,
                m.node() + " throws its data away and copies the primary's; see /_raft/sync-status");
    }

    /** Why commits would wait while this member is away for a while, by what it does then; null when they would not. */
    @Nullable
    String wouldWait(Member m, String does) {
        int k = needed(m, true);
        int usable = usable(m);
        return usable >= k
                ? null
                : "while %s %s commits would wait: %d must acknowledge, and %d others stream at this moment; bring another back first, or insist"
                        .formatted(m.node(), does, k, usable);
    }

    /** Who is being copied now, this one or another; null for nobody. */
    private @Nullable NodeId copies(Member wanted) {
        NodeId begins = resync.target();
        if (begins != null) {
            return begins;
        }
        for (Member m : ctx.state.members().values()) {
            LocalStatus st = reports.fresh(m.node());
            boolean empty = m.kind() != MemberKind.WITNESS && st != null && st.server() == ServerState.EMPTY;
            if (empty
                    || (st != null
                            && st.generation() > m.generation()
                            && m.node().equals(wanted.node()))) {
                return m.node();
            }
        }
        return null;
    }

    private @Nullable String mayNotBeCopied(Member m) {
        if (m.node().equals(ctx.state.primary())) {
            return "%s is the primary: switch over to another node first".formatted(m.node());
        }
        if (m.kind() == MemberKind.WITNESS) {
            return "%s is a witness and holds no data".formatted(m.node());
        }
        if (m.fence().fenced()) {
            return "%s is fenced, and copies nothing until it is free: quantadb unfence %s first"
                    .formatted(m.node(), m.node());
        }
        return reports.fresh(m.node()) == null
                ? "%s is not heard from: start it first; it copies by itself what it cannot get otherwise"
                        .formatted(m.node())
                : null;
    }

    // ---- the rest

    private void changeMode(Event.AdminAsked asked, AdminRequest.ChangeMode r) {
        Settings now = ctx.state.settings();
        Settings next = r.on(now);
        if (!next.equals(now)) {
            ctx.tell(
                    "cluster",
                    "changes mode %s, %s to %s, %s, as asked"
                            .formatted(now.mode(), now.policy(), next.mode(), next.policy()));
            ctx.add(new Action.Propose(new Command.ChangeSettings(next)));
        }
        answer(asked, Action.AdminVerdict.ACCEPTED, next.equals(now) ? "it is so already" : "the rule follows");
    }

    private void changeReads(Event.AdminAsked asked, AdminRequest.ChangeMinorityReads r) {
        Settings next = ctx.state.settings().withMinorityReads(r.reads());
        if (!next.equals(ctx.state.settings())) {
            ctx.tell("cluster", "lets %s serve reads without a leader, as asked".formatted(r.reads()));
            ctx.add(new Action.Propose(new Command.ChangeSettings(next)));
        }
        answer(asked, Action.AdminVerdict.ACCEPTED, "every node obeys as soon as it hears of it");
    }

    private void pause(Event.AdminAsked asked, long untilMillis) {
        Settings now = ctx.state.settings();
        if (now.pausedUntilMillis() != untilMillis) {
            ctx.tell("cluster", untilMillis == 0 ? "ends the maintenance, as asked" : "is in maintenance, as asked");
            ctx.add(new Action.Propose(new Command.ChangeSettings(now.withPausedUntil(untilMillis))));
        }
        answer(
                asked,
                Action.AdminVerdict.ACCEPTED,
                untilMillis == 0 ? "failovers happen by themselves" : "no failover begins by itself");
    }

    private void tune(Event.AdminAsked asked, AdminRequest.Tune r) {
        Settings now = ctx.state.settings();
        Tuning next;
        try {
            next = r.on(now.tuning());
        } catch (IllegalArgumentException e) {
            refuse(asked, String.valueOf(e.getMessage()));
            return;
        }
        if (!next.equals(now.tuning())) {
            ctx.tell("cluster", "changes how it fails over, as asked: " + next);
            ctx.add(new Action.Propose(new Command.ChangeSettings(now.withTuning(next))));
        }
        answer(asked, Action.AdminVerdict.ACCEPTED, next.equals(now.tuning()) ? "it is so already" : "it is so now");
    }

    private void maintain(Event.AdminAsked asked, AdminRequest.Maintain r) {
        Member m = ctx.state.member(r.node());
        if (m == null) {
            refuse(asked, unknown(r.node()));
            return;
        }
        if (m.maintenance() != r.maintenance()) {
            ctx.add(new Action.Propose(new Command.SetMaintenance(m.peer(), r.maintenance())));
        }
        answer(asked, Action.AdminVerdict.ACCEPTED, "");
    }

    private void place(Event.AdminAsked asked, AdminRequest.SetPlacement r) {
        Member m = ctx.state.member(r.node());
        if (m == null) {
            refuse(asked, unknown(r.node()));
            return;
        }
        if (r.priority() != null && m.kind() != MemberKind.DATA) {
            refuse(
                    asked,
                    "%s is a %s and is never primary, whatever its priority: only a data node has one"
                            .formatted(m.node(), m.kind() == MemberKind.WITNESS ? "witness" : "read replica"));
            return;
        }
        Member next = m.withSet(r.on(m));
        if (next.equals(m)) {
            answer(asked, Action.AdminVerdict.ACCEPTED, "it is so already");
            return;
        }
        ctx.tell(
                "cluster",
                "has zone '%s' and priority %d hold for %s, as asked; its own are '%s' and %d"
                        .formatted(next.zone(), next.priority(), m.node(), m.ownZone(), m.ownPriority()));
        ctx.add(new Action.Propose(new Command.SetPlacement(m.peer(), next.set())));
        answer(asked, Action.AdminVerdict.ACCEPTED, placed(m, next));
    }

    /** What becomes of it, and what an operator may not have thought of. */
    private String placed(Member before, Member next) {
        String what = "%s: priority %d, zone %s"
                .formatted(next.node(), next.priority(), next.zone().isEmpty() ? "-" : next.zone());
        if (next.priority() > 0 || before.priority() == 0) {
            return what;
        }
        boolean heir = ctx.state.dataVoters().stream()
                .anyMatch(o ->
                        !o.node().equals(next.node()) && !o.node().equals(ctx.state.primary()) && o.priority() > 0);
        String stays = next.node().equals(ctx.state.primary())
                ? "; it stays primary until it is moved, and is never primary again then"
                : "; it is never primary now";
        return what + stays + (heir ? "" : "; nobody is left who could take over from the primary");
    }

    private void setUpstream(Event.AdminAsked asked, AdminRequest.SetUpstream r) {
        Member m = ctx.state.member(r.node());
        NodeId upstream = r.upstream();
        String why = m == null ? unknown(r.node()) : Upstreams.refusal(ctx.rules, ctx.state, m, upstream);
        if (m == null || why != null) {
            refuse(asked, String.valueOf(why));
            return;
        }
        boolean already = Objects.equals(m.upstream(), upstream);
        if (!already) {
            String whom = upstream == null ? "the primary" : upstream.value();
            ctx.tell("cluster", "has %s stream from %s, as asked".formatted(m.node(), whom));
            ctx.add(new Action.Propose(new Command.SetUpstream(m.peer(), upstream)));
        }
        answer(
                asked,
                Action.AdminVerdict.ACCEPTED,
                already
                        ? "it is so already"
                        : upstream == null
                                ? m.node() + " goes to the primary now"
                                : "%s goes to %s once that one has streamed in this epoch for a few seconds"
                                        .formatted(m.node(), upstream));
    }

    private String unknown(NodeId node) {
        return "no member is called %s; the members are %s"
                .formatted(
                        node,
                        ctx.state.members().keySet().stream().map(NodeId::value).collect(Collectors.joining(", ")));
    }

    private void refuse(Event.AdminAsked asked, String why) {
        answer(asked, Action.AdminVerdict.REFUSED, why);
    }

    private void answer(Event.AdminAsked asked, Action.AdminVerdict verdict, String words) {
        ctx.add(new Action.AdminAnswer(asked.requestId(), verdict, words));
    }
}
