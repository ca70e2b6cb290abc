package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The leader's care for the members, one step at a time: in by learner, caught up, Raft voter (the rule is {@link
 * RuleKeeper}'s); out by the rule, voter, gone. A node that comes back with another disk is another incarnation: the
 * old one goes all the way out before the new one comes in.
 */
final class MembershipKeeper {
    private static final int VOTERS_MAX = 7;
    private static final int ASKING_MAX = 16;
    private static final long AGAIN_NANOS = 100 * Context.MILLIS;
    private static final long ASKED_LATELY_NANOS = 5_000 * Context.MILLIS;
    private static final long CAUGHT_UP_BYTES = 16L << 20;
    private static final long CAUGHT_UP_ENTRIES = 100;

    /** So long do two data nodes stay two voters when all others that could vote are gone. */
    private static final long TWO_LEFT_NANOS = 10_000 * Context.MILLIS;

    private record Asked(Event.JoinAsked join, long at) {}

    private final Context ctx;
    private final Reports reports;
    private final VersionKeeper versions;
    private final Map<NodeId, Asked> asking = new TreeMap<>();
    private long stepAt;
    /** Since when there has been a {@link #second}; 0 while there is none. */
    private long twoSince;

    MembershipKeeper(Context ctx, Reports reports, VersionKeeper versions) {
        this.ctx = ctx;
        this.reports = reports;
        this.versions = versions;
    }

    void clear() {
        asking.clear();
        twoSince = 0;
    }

    /** Nodes whose old incarnation is on its way out. */
    Set<NodeId> leaving() {
        Set<NodeId> nodes = new HashSet<>();
        for (Asked a : asking.values()) {
            Member m = ctx.state.member(a.join.peer().node());
            if (m != null && !m.peer().equals(a.join.peer())) {
                nodes.add(m.node());
            }
        }
        return nodes;
    }

    // ---- joining

    void onJoinAsked(Event.JoinAsked join) {
        if (!ctx.leads()) {
            answer(join, Action.JoinVerdict.NOT_LEADER, ctx.leaderId == null ? "" : ctx.leaderId.value());
            return;
        }
        NodeId node = join.peer().node();
        Member m = ctx.state.member(node);
        if (!ctx.rules.letsIn(join.reads(), ClusterVersion.of(ctx.state))) {
            answer(join, Action.JoinVerdict.REFUSED, tooOld(join.reads()));
            return;
        }
        if (ctx.voters.contains(join.peer())) {
            answer(
                    join,
                    Action.JoinVerdict.SPENT,
                    "this life of %s votes already, so its disk was put back to before it was let in".formatted(node));
            return;
        }
        if (m != null && m.peer().equals(join.peer())) {
            update(m, join.addresses(), join.zone(), join.priority());
            boolean inRaft = ctx.voters.contains(m.peer()) || ctx.learners.contains(m.peer());
            answer(join, inRaft ? Action.JoinVerdict.ACCEPTED : Action.JoinVerdict.WAIT, "being added to the group");
            return;
        }
        if (m != null && lives(m)) {
            answer(
                    join,
                    Action.JoinVerdict.ID_IN_USE,
                    "node id %s is in use by a running node of this cluster: give this node another id, or stop that one"
                            .formatted(node));
            return;
        }
        if (!ctx.rules.letsIn(join.reads(), versions.needed())) {
            answer(join, Action.JoinVerdict.WAIT, "the cluster is about to be at version " + versions.needed());
            return;
        }
        if (asking.size() < ASKING_MAX || asking.containsKey(node)) {
            asking.put(node, new Asked(join, ctx.now));
        }
        answer(join, Action.JoinVerdict.WAIT, m == null ? "being added" : "its former self is being removed");
        stepAt = 0;
    }

    private String tooOld(int reads) {
        return "its release reads the cluster's state up to version %d, and this cluster is at %d: start it with the release that the members run"
                .formatted(reads, ClusterVersion.of(ctx.state));
    }

    /** Whether the incarnation that is a member was heard of lately. */
    private boolean lives(Member m) {
        return m.node().equals(ctx.self.node()) || reports.fresh(m.node()) != null;
    }

    /** What a member is told to be by its own configuration. A stranger is not let in by it. */
    void onMemberTold(Event.MemberTold told) {
        Member m = ctx.state.member(told.peer());
        if (!ctx.leads()) {
            answer(told.requestId(), Action.JoinVerdict.NOT_LEADER, ctx.leaderId == null ? "" : ctx.leaderId.value());
        } else if (m == null) {
            answer(told.requestId(), Action.JoinVerdict.WAIT, "this life of the node is no member");
        } else {
            update(m, told.addresses(), told.zone(), told.priority());
            answer(told.requestId(), Action.JoinVerdict.ACCEPTED, "");
        }
    }

    private void update(Member m, Addresses addresses, String zone, int priority) {
        boolean same = m.addresses().equals(addresses) && m.ownZone().equals(zone) && m.ownPriority() == priority;
        if (!same) {
            ctx.tell(
                    "cluster",
                    "notes that %s is reached at %s, zone '%s', priority %d%s"
                            .formatted(m.node(), addresses.replication(), zone, priority, stays(m)));
            ctx.add(new Action.Propose(new Command.UpdateMember(m.peer(), addresses, zone, priority)));
        }
    }

    /** What of that does not hold, since an operator set it. */
    private static String stays(Member m) {
        return m.set().equals(Placement.NONE)
                ? ""
                : "; zone '%s' and priority %d hold, as they were set by command".formatted(m.zone(), m.priority());
    }

    private void answer(Event.JoinAsked join, Action.JoinVerdict verdict, String words) {
        answer(join.requestId(), verdict, words);
    }

    private void answer(long requestId, Action.JoinVerdict verdict, String words) {
        ctx.add(new Action.JoinAnswer(requestId, verdict, words));
    }

    // ---- one step

    void onTick() {
        asking.values().removeIf(a -> ctx.now - a.at > ASKED_LATELY_NANOS);
        twoSince = second() == null ? 0 : twoSince != 0 ? twoSince : Math.max(1, ctx.now);
        if (stepAt != 0 && ctx.now - stepAt < AGAIN_NANOS) {
            return;
        }
        if (stepJoins() || stepMembers()) {
            stepAt = ctx.now;
        }
    }

    /** Something that was waited for has happened: look again at once. */
    void onChange() {
        stepAt = 0;
    }

    private boolean stepJoins() {
        for (Asked a : asking.values()) {
            PeerId peer = a.join.peer();
            Member m = ctx.state.member(peer.node());
            if (!ctx.rules.letsIn(a.join.reads(), versions.needed())) {
                // What was enough when it asked is not any more. It hears of it when it asks again.
                continue;
            }
            if (m == null) {
                add(a.join, 0, null);
                return true;
            }
            if (m.peer().equals(peer)) {
                asking.remove(peer.node());
                return true;
            }
            if (stepOut(m)) {
                return true;
            }
        }
        return false;
    }

    /** The old incarnation out of Raft once no rule names it, then out of the state. */
    private boolean stepOut(Member m) {
        // A leader that has to go hands leadership to the primary's node first, as it would anyway.
        if (!ctx.rules.mayLeave(ctx.state, m.node()) || m.peer().equals(ctx.self)) {
            return false;
        }
        if (ctx.voters.contains(m.peer()) || ctx.learners.contains(m.peer())) {
            ctx.add(new Action.RemovePeer(m.peer()));
        } else {
            Asked a = asking.get(m.node());
            ctx.add(new Action.Propose(new Command.RemoveMember(m.peer())));
            if (a != null) {
                add(a.join, Member.nextLife(m.generation()), m);
            }
        }
        return true;
    }

    /** @param former its former self, of which stays what was set by command */
    private void add(Event.JoinAsked j, long generation, @Nullable Member former) {
        Member m = new Member(
                        j.peer(),
                        generation,
                        j.kind(),
                        MemberState.LEARNER,
                        j.addresses(),
                        j.zone(),
                        j.priority(),
                        false)
                .withSet(former == null ? Placement.NONE : former.set());
        NodeId kept = former == null ? null : former.upstream();
        NodeId upstream = kept != null ? kept : j.upstream();
        String why = Upstreams.refusal(ctx.rules, ctx.state, m, upstream);
        if (why != null) {
            ctx.tell("cluster", "%s streams from the primary, not from %s: %s".formatted(m.node(), upstream, why));
        }
        ctx.add(new Action.Propose(new Command.AddMember(why == null ? m.withUpstream(upstream) : m)));
    }

    private boolean stepMembers() {
        ClusterState s = ctx.state;
        int waiting = 0;
        for (Member m : s.members().values()) {
            waiting += m.state() == MemberState.CAUGHT_UP && m.kind() != MemberKind.READ_REPLICA ? 1 : 0;
        }
        for (Member m : s.members().values()) {
            if (stepMember(m, waiting)) {
                return true;
            }
        }
        return false;
    }

    private boolean stepMember(Member m, int waiting) {
        PeerId peer = m.peer();
        if (m.state() == MemberState.LEAVING) {
            return stepOut(m);
        }
        boolean voter = ctx.voters.contains(peer);
        LocalStatus st = reports.fresh(m.node());
        if (st != null && st.generation() > m.generation()) {
            ctx.add(new Action.Propose(new Command.SetGeneration(peer, st.generation())));
            return true;
        }
        if (m.equals(second()) && ctx.now - twoSince >= TWO_LEFT_NANOS) {
            return stepBack(m);
        }
        if (voter && m.state() != MemberState.VOTER) {
            ctx.add(new Action.Propose(new Command.SetMemberState(peer, MemberState.VOTER)));
            return true;
        }
        if (!voter && !ctx.learners.contains(peer) && !leaving().contains(m.node())) {
            ctx.add(new Action.AddLearner(peer));
            return true;
        }
        if (m.state() == MemberState.LEARNER && caughtUp(m, st)) {
            ctx.add(new Action.Propose(new Command.SetMemberState(peer, MemberState.CAUGHT_UP)));
            return true;
        }
        boolean mayVote = m.state() == MemberState.CAUGHT_UP && m.kind() != MemberKind.READ_REPLICA && !voter;
        // One voter and one learner stay so: a second voter alone would only add a second way to stop.
        boolean useful = ctx.voters.size() >= 2 || waiting >= 2;
        if (mayVote && useful && ctx.voters.size() < VOTERS_MAX && st != null) {
            ctx.add(new Action.PromoteToVoter(peer));
            return true;
        }
        return false;
    }

    /**
     * The standby of two data nodes that are all that may vote; null otherwise, and while that is about to change. As a
     * voter it would only be a second way to stop: with either of two gone there is no majority.
     */
    private @Nullable Member second() {
        ClusterState s = ctx.state;
        boolean changing = !s.released() || !asking.isEmpty() || (s.nextRule() != null && twoSince == 0);
        if (changing || ctx.voters.size() != 2 || !ctx.self.node().equals(s.primary())) {
            return null;
        }
        Member found = null;
        for (Member m : s.members().values()) {
            if (m.kind() == MemberKind.READ_REPLICA || m.peer().equals(ctx.self)) {
                continue;
            }
            boolean other = found != null || m.kind() != MemberKind.DATA || m.state() == MemberState.LEAVING;
            if (other || !ctx.voters.contains(m.peer())) {
                return null;
            }
            found = m;
        }
        return found;
    }

    /** Out of the rule first, then out of the voters; it follows on as a learner. */
    private boolean stepBack(Member m) {
        if (m.state() == MemberState.VOTER) {
            ctx.tell("cluster", "%s votes no more: of two data nodes the second only follows".formatted(m.node()));
            ctx.add(new Action.Propose(new Command.SetMemberState(m.peer(), MemberState.CAUGHT_UP)));
            return true;
        }
        if (ctx.state.inRules(m.node())) {
            return false;
        }
        ctx.add(new Action.DemoteToLearner(m.peer()));
        return true;
    }

    private boolean caughtUp(Member m, @Nullable LocalStatus st) {
        if (st == null || ctx.appliedIndex - st.appliedIndex() > CAUGHT_UP_ENTRIES) {
            return false;
        }
        return m.kind() == MemberKind.WITNESS || reports.caughtUp(m, CAUGHT_UP_BYTES);
    }
}
