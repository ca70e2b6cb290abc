package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The replicated state machine: what each command makes of the state, or why it changes nothing. Every node applies
 * the same commands in the same order and gets the same state, so nothing here depends on time, node or randomness.
 * Guards that need more than the replicated state are the leader's to check before it proposes. Pure.
 */
public final class Transitions {
    private final ProtocolRules rules;

    public Transitions(ProtocolRules rules) {
        this.rules = rules;
    }

    /** The new state; the old one, with the reason in {@code refused}, when the command changed nothing. */
    public record Result(ClusterState state, @Nullable String refused) {
        public boolean applied() {
            return refused == null;
        }
    }

    public Result apply(ClusterState s, Command command) {
        if (command instanceof Command.Noop) {
            return new Result(s, null);
        }
        if (command instanceof Command.Bootstrap b) {
            return s.bootstrapped() ? no(s, "the cluster is formed already") : bootstrap(s, b);
        }
        if (!s.bootstrapped()) {
            return no(s, "the cluster is not formed yet");
        }
        return switch (command) {
            case Command.Noop n -> new Result(s, null);
            case Command.Bootstrap b -> no(s, "the cluster is formed already");
            case Command.AddMember c -> addMember(s, c.member());
            case Command.UpdateMember c ->
                changeMember(s, s.member(c.peer()), m -> m.withAddresses(c.addresses(), c.zone(), c.priority()));
            case Command.SetMaintenance c ->
                changeMember(s, s.member(c.peer()), m -> m.withMaintenance(c.maintenance()));
            case Command.SetMemberState c -> setMemberState(s, c);
            case Command.SetGeneration c ->
                changeMember(
                        s,
                        s.member(c.peer()),
                        m -> c.generation() > m.generation() ? m.withGeneration(c.generation()) : m);
            case Command.RemoveMember c -> removeMember(s, c);
            case Command.Joint c -> joint(s, c);
            case Command.Replace c -> replace(s, c);
            case Command.Withdraw c -> withdraw(s, c);
            case Command.Finish c -> finish(s, c);
            case Command.Promote c -> promote(s, c);
            case Command.Release c -> release(s, c);
            case Command.ChangeSettings c -> changeSettings(s, c.settings());
            case Command.Retime c -> retime(s, c.timers());
            case Command.SetClusterVersion c -> setVersion(s, c);
            case Command.SetFence c -> setFence(s, c);
            case Command.SetPlacement c -> changeMember(s, s.member(c.peer()), m -> m.withSet(c.placement()));
            case Command.SetUpstream c -> setUpstream(s, c);
        };
    }

    private static Result bootstrap(ClusterState s, Command.Bootstrap b) {
        Member first = b.first();
        if (b.clusterId().isEmpty() || first.kind() != MemberKind.DATA || first.state() != MemberState.VOTER) {
            return no(s, "a cluster begins with a named data voter");
        }
        var members = new TreeMap<NodeId, Member>();
        members.put(first.node(), first);
        var record = new EpochRecord(1, first.node(), b.timeline(), 0, Lsn.NONE, Lsn.NONE, true);
        return new Result(
                new ClusterState(
                        b.clusterId(),
                        b.systemIdentifier(),
                        b.clusterVersion(),
                        1,
                        1,
                        first.node(),
                        first.generation(),
                        b.timeline(),
                        1,
                        first.node(),
                        first.generation(),
                        Rule.ALONE,
                        null,
                        List.of(record),
                        b.timeline(),
                        members,
                        b.settings(),
                        List.of()),
                null);
    }

    private Result setVersion(ClusterState s, Command.SetClusterVersion c) {
        if (c.clusterVersion() <= ClusterVersion.of(s)) {
            return no(s, "the cluster is at version %d".formatted(ClusterVersion.of(s)));
        }
        return rules.askedAll(s, c.members())
                ? ok(new Draft(s).clusterVersion(c.clusterVersion()))
                : no(s, "the members are others than those who said that they read it");
    }

    /** The timers have a command of their own, and stay: what was decided before one must not undo it. */
    private static Result changeSettings(ClusterState s, Settings next) {
        return ok(new Draft(s).settings(next.withTimers(s.settings().timers())));
    }

    /**
     * Between what the cluster was formed with and how far it may be raised. Nodes apply this sooner or later, and need
     * not agree meanwhile: a lease counts on nothing but what each voter has promised itself (Raft's answers carry it).
     */
    private static Result retime(ClusterState s, Timers next) {
        Tuning t = s.settings().tuning();
        if (next.heartbeatMillis() != s.settings().heartbeatMillis()) {
            return no(s, "the heartbeat is set when the cluster is formed");
        }
        int min = next.electionTimeoutMinMillis();
        boolean between = min >= t.electionBaseMinMillis()
                && min <= Math.max(t.electionLimitMillis(), s.settings().electionTimeoutMinMillis());
        return between
                ? ok(new Draft(s).settings(s.settings().withTimers(next)))
                : no(s, "the election timeout stays between what was chosen and how far it may be raised");
    }

    private Result addMember(ClusterState s, Member m) {
        if (s.member(m.node()) != null) {
            return no(s, "a member of that name is there");
        }
        if (s.members().size() >= ClusterState.MAX_MEMBERS) {
            return no(s, "the cluster has as many members as it may");
        }
        // One that is let in is let in, whatever it wished for: it streams from the primary then.
        boolean may = Upstreams.refusal(rules, s, m, m.upstream()) == null;
        return ok(new Draft(s).member(may ? m : m.withUpstream(null)));
    }

    /** Whoever asks for it has looked at an older state, in which there was no chain yet. */
    private Result setUpstream(ClusterState s, Command.SetUpstream c) {
        Member m = s.member(c.peer());
        String why = m == null ? "no such member" : Upstreams.refusal(rules, s, m, c.upstream());
        return why != null ? no(s, why) : changeMember(s, m, x -> x.withUpstream(c.upstream()));
    }

    private static Result changeMember(
            ClusterState s, @Nullable Member m, java.util.function.UnaryOperator<Member> change) {
        return m == null ? no(s, "no such member") : ok(new Draft(s).member(change.apply(m)));
    }

    /** A primary does not leave, the last released one of an unreleased epoch included; and nobody comes back from leaving. */
    private Result setMemberState(ClusterState s, Command.SetMemberState c) {
        Member m = s.member(c.peer());
        if (m != null && c.state() == MemberState.LEAVING) {
            if (!rules.mayBeginToLeave(s, m.node())) {
                return no(s, "it is the primary, or a failover is under way");
            }
        } else if (m != null && m.state() == MemberState.LEAVING) {
            return no(s, "it is on its way out");
        }
        return changeMember(s, m, x -> x.withState(c.state()));
    }

    /** Whoever asks for it has looked at an older state: a primary that came up meanwhile serves on. */
    private Result setFence(ClusterState s, Command.SetFence c) {
        return rules.mayFence(s, c.peer().node(), c.fence())
                ? changeMember(s, s.member(c.peer()), m -> m.withFence(c.fence()))
                : no(s, "it is the primary, or may have to become it again");
    }

    private Result removeMember(ClusterState s, Command.RemoveMember c) {
        NodeId node = c.peer().node();
        Member m = s.member(c.peer());
        if (m == null) {
            return no(s, "no such member");
        }
        if (!rules.mayLeave(s, node)) {
            return no(s, "it is the primary, or still stands in the rule");
        }
        Draft draft = new Draft(s).without(node);
        if (m.state() == MemberState.LEAVING) {
            // For good. Where only a disk was replaced, the node comes back and feeds whom it fed.
            Upstreams.fedBy(s, node).forEach(fed -> draft.member(fed.withUpstream(null)));
        }
        return ok(draft);
    }

    private Result joint(ClusterState s, Command.Joint c) {
        if (!rules.conditionHolds(s, c.on())) {
            return stale(s);
        }
        if (!s.released() || s.nextRule() != null) {
            return no(s, "another change of the rule is under way");
        }
        String wrong = wrongRule(s, c.rule());
        return wrong != null ? no(s, wrong) : ok(new Draft(s).next(c.rule()).bump());
    }

    private Result replace(ClusterState s, Command.Replace c) {
        if (!rules.conditionHolds(s, c.on())) {
            return stale(s);
        }
        if (s.nextRule() == null) {
            return no(s, "no change of the rule is under way");
        }
        String wrong = wrongRule(s, c.rule());
        return wrong != null ? no(s, wrong) : ok(new Draft(s).next(c.rule()).bump());
    }

    private Result withdraw(ClusterState s, Command.Withdraw c) {
        if (!rules.conditionHolds(s, c.on())) {
            return stale(s);
        }
        return s.nextRule() == null || !s.released()
                ? no(s, "nothing can be withdrawn")
                : ok(new Draft(s).next(null).bump());
    }

    private Result finish(ClusterState s, Command.Finish c) {
        if (!rules.conditionHolds(s, c.on())) {
            return stale(s);
        }
        Rule next = s.nextRule();
        return next == null || !s.released()
                ? no(s, "no change of the rule is under way in a released epoch")
                : ok(new Draft(s).rule(next).next(null).bump());
    }

    private Result promote(ClusterState s, Command.Promote c) {
        if (!rules.conditionHolds(s, c.on())) {
            return stale(s);
        }
        Member chosen = s.member(c.node());
        if (c.epoch() <= s.epoch()) {
            return no(s, "epochs only grow");
        }
        if (chosen == null || chosen.kind() != MemberKind.DATA) {
            return no(s, "the chosen node holds no data");
        }
        if (chosen.state() == MemberState.LEAVING) {
            return no(s, "the chosen node is on its way out");
        }
        if (!rules.mayBePromoted(chosen)) {
            return no(s, "the chosen node is fenced");
        }
        boolean kept = c.timeline() == s.timeline();
        if (kept && !rules.mayKeepTimeline(s, c)) {
            return no(s, "only a primary that keeps its server keeps its timeline");
        }
        if (!kept && c.timeline() != rules.nextTimeline(s)) {
            return no(s, "that timeline is not the next one");
        }
        if (c.kind() == Command.PromoteKind.SAME_PRIMARY && !mayKeepPrimary(s, c)) {
            return no(s, "it is not the primary of what was last released");
        }
        boolean handedOver = c.kind() == Command.PromoteKind.HANDED_OVER;
        if (handedOver && (!s.released() || c.node().equals(s.primary()))) {
            return no(s, "only the primary of a released epoch hands over, and to another");
        }
        for (MemberRef ref : c.nextRule().set()) {
            if (ref.node().equals(c.node()) || s.member(ref.node()) == null) {
                return no(s, "the new rule names the chosen node or a stranger");
            }
        }
        var record = new EpochRecord(
                c.epoch(), c.node(), c.timeline(), c.from().timeline(), c.from().lsn(), Lsn.NONE, false);
        var draft = new Draft(s).next(c.nextRule()).bump();
        draft.epoch = c.epoch();
        draft.primary = c.node();
        draft.primaryGeneration = c.generation();
        draft.timeline = c.timeline();
        draft.lastTimeline = Math.max(s.lastTimeline(), c.timeline());
        draft.history = appended(s.history(), record, ClusterState.MAX_HISTORY);
        draft.failovers = appended(
                s.failovers(),
                new FailoverRecord(c.whenMillis(), s.primary(), c.node(), c.epoch(), c.reason()),
                ClusterState.MAX_FAILOVERS);
        return ok(draft);
    }

    /** B: the primary of the released epoch, or the last released primary while nothing was released since. */
    private static boolean mayKeepPrimary(ClusterState s, Command.Promote c) {
        return s.released()
                ? c.node().equals(s.primary()) && c.generation() == s.primaryGeneration()
                : c.node().equals(s.releasedPrimary()) && c.generation() == s.releasedGeneration();
    }

    private Result release(ClusterState s, Command.Release c) {
        if (!rules.conditionHolds(s, c.on())) {
            return stale(s);
        }
        Rule next = s.nextRule();
        if (s.released() || next == null) {
            return no(s, "the epoch is released already");
        }
        List<EpochRecord> history = new ArrayList<>(s.history());
        EpochRecord last = history.getLast();
        if (last.ownTimeline() && !c.fork().atLeast(last.expectedFork())) {
            return no(s, "the fork lies before the one that was expected");
        }
        history.set(
                history.size() - 1,
                new EpochRecord(
                        last.epoch(),
                        last.node(),
                        last.timeline(),
                        last.ownTimeline() ? c.parentTimeline() : last.parentTimeline(),
                        last.expectedFork(),
                        last.ownTimeline() ? c.fork() : Lsn.NONE,
                        true));
        var draft = new Draft(s).rule(next).next(null).bump();
        draft.history = history;
        draft.releasedEpoch = s.epoch();
        draft.releasedPrimary = s.primary();
        draft.releasedGeneration = s.primaryGeneration();
        return ok(draft);
    }

    /** A rule names data voters in their known generation, and never the primary. */
    private static @Nullable String wrongRule(ClusterState s, Rule rule) {
        for (MemberRef ref : rule.set()) {
            Member m = s.member(ref.node());
            if (m == null || m.kind() != MemberKind.DATA || ref.node().equals(s.primary())) {
                return "the rule names the primary or a node that holds no data";
            }
            if (ref.generation() > m.generation()) {
                return "the rule names a generation that is not known";
            }
        }
        return null;
    }

    private static <T> List<T> appended(List<T> list, T last, int max) {
        List<T> all = new ArrayList<>(list);
        all.add(last);
        return all.size() > max ? all.subList(all.size() - max, all.size()) : all;
    }

    private static Result ok(Draft draft) {
        return new Result(draft.done(), null);
    }

    private static Result no(ClusterState s, String why) {
        return new Result(s, why);
    }

    private static Result stale(ClusterState s) {
        return no(s, "epoch or rule version have moved on");
    }
}
