package io.quantadb.node.cluster;

import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.HashSet;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The leader's care for the rule: brings it, by Joint and Finish, to what the members call for, ends the joint phase of
 * a promoted epoch by Release, and replaces or withdraws a new half that cannot be satisfied. Looks at what is, not at
 * what it did: a lost proposal is simply made again.
 */
final class RuleKeeper {
    private static final long AGAIN_NANOS = 200 * Context.MILLIS;
    private static final long SATISFIED_AGAIN_NANOS = 150 * Context.MILLIS;
    private static final long STUCK_NANOS = 2_000 * Context.MILLIS;
    private static final long CAUGHT_UP_BYTES = 16L << 20;

    private final Context ctx;
    private final Reports reports;
    private long proposedAt;
    private long versionSince;
    private long versionSeen;
    /** When fewer than must acknowledge were first seen usable; 0 while enough are. */
    private long shortSince;
    /** The version whose end was proposed last, and when. */
    private long satisfiedVersion;

    private long satisfiedAt;

    private Set<NodeId> setAside = Set.of();

    RuleKeeper(Context ctx, Reports reports) {
        this.ctx = ctx;
        this.reports = reports;
    }

    /**
     * @param gone whose disks are lost, so that the rule need not wait for them
     * @param aside who may not stand in the rule for a while; they have their data still, and the rule asks for no fewer
     *     because of them
     */
    void onTick(Set<NodeId> gone, Set<NodeId> aside) {
        ClusterState s = ctx.state;
        setAside = aside;
        Set<NodeId> leaving = new HashSet<>(gone);
        leaving.addAll(aside);
        if (versionSeen != s.version()) {
            versionSeen = s.version();
            versionSince = ctx.now;
            proposedAt = 0;
        }
        if (ctx.now - proposedAt < AGAIN_NANOS && proposedAt != 0) {
            return;
        }
        watchUsable(leaving);
        boolean stuck = ctx.now - versionSince > STUCK_NANOS;
        if (!s.released()) {
            if (stuck) {
                replaceUnreleased(leaving);
            }
            return;
        }
        Rule next = s.nextRule();
        Rule wanted = wanted(leaving);
        if (next == null) {
            if (wanted != null && !wanted.equals(s.rule())) {
                propose(new Command.Joint(Command.Condition.of(s), wanted));
            }
        } else if (stuck) {
            if (wanted == null || wanted.equals(s.rule())) {
                propose(new Command.Withdraw(Command.Condition.of(s)));
            } else if (!wanted.equals(next)) {
                propose(new Command.Replace(Command.Condition.of(s), wanted));
            }
        }
    }

    void onProposalFailed() {
        proposedAt = ctx.now - AGAIN_NANOS / 2;
        satisfiedVersion = 0;
    }

    /** The primary says that k' of the new half have flushed what this version waits for. */
    void onSatisfied(NodeId from, CoordMessage.NextRuleSatisfied m) {
        ClusterState s = ctx.state;
        boolean due = from.equals(s.primary()) && m.version() == s.version() && s.nextRule() != null;
        if (!due || m.timeline() != s.timeline()) {
            return;
        }
        if (satisfiedVersion == m.version() && ctx.now - satisfiedAt < SATISFIED_AGAIN_NANOS) {
            // Said again, and under way already: each would be an entry of its own.
            return;
        }
        satisfiedVersion = m.version();
        satisfiedAt = ctx.now;
        proposedAt = ctx.now;
        ctx.add(new Action.Propose(
                s.released()
                        ? new Command.Finish(Command.Condition.of(s))
                        : new Command.Release(Command.Condition.of(s), m.parentTimeline(), m.fork())));
    }

    /**
     * The rule that the data voters call for: half of them, rounded down, beside the primary. Who stands in the rule
     * with its current generation stays in it, absent or not; others enter once they have caught up. Null when fewer
     * are usable than must acknowledge, and nothing may change by itself.
     */
    @Nullable
    Rule wanted(Set<NodeId> leaving) {
        ClusterState s = ctx.state;
        if (s.settings().mode() == Settings.Mode.ASYNC) {
            return Rule.ALONE;
        }
        SortedSet<MemberRef> set = new TreeSet<>();
        for (Member m : s.dataVoters()) {
            boolean other = !m.node().equals(s.primary()) && !leaving.contains(m.node());
            if (other && (s.rule().set().contains(m.ref()) || reports.caughtUp(m, CAUGHT_UP_BYTES))) {
                set.add(m.ref());
            }
        }
        set = spared(set, usable(leaving));
        int k = Candidates.wantedK(s, set.size());
        if (shrinks()) {
            SortedSet<MemberRef> usable = usable(leaving);
            if (usable.size() < k || set.isEmpty()) {
                return new Rule(usable, usable.size());
            }
        }
        boolean lostForGood = ctx.rules.mayGoOnAlone(nobodyElseStays(set, leaving));
        if (set.size() < k && lostForGood) {
            // As after a failover with two data nodes: the primary goes on alone, and the new disk can be let in.
            k = set.size();
        }
        // Mode ALL asks for as many as there are, and nobody at all is no rule that anybody asked for.
        boolean alone = set.isEmpty() && !lostForGood;
        return set.size() < k || alone ? null : new Rule(set, k);
    }

    /** Without the fenced, where enough of the others are usable; never with nobody left to acknowledge. */
    private SortedSet<MemberRef> spared(SortedSet<MemberRef> set, Set<MemberRef> usable) {
        ClusterState s = ctx.state;
        TreeSet<MemberRef> rest = new TreeSet<>(set);
        rest.removeIf(ref -> {
            Member m = s.member(ref.node());
            return m != null && m.fence().fenced();
        });
        long able = rest.stream().filter(usable::contains).count();
        return !rest.isEmpty() && able >= Candidates.wantedK(s, rest.size()) ? rest : set;
    }

    /** Policy SHRINK: too few were usable for as long as the operator is willing to wait. */
    private boolean shrinks() {
        Settings settings = ctx.state.settings();
        return settings.policy() == Settings.Policy.SHRINK
                && shortSince != 0
                && ctx.now - shortSince >= ctx.millis(settings.shrinkAfterMillis());
    }

    private void watchUsable(Set<NodeId> leaving) {
        ClusterState s = ctx.state;
        int others = (int) s.dataVoters().stream()
                .filter(m -> !m.node().equals(s.primary()) && !leaving.contains(m.node()))
                .count();
        boolean enough = usable(leaving).size() >= Candidates.wantedK(s, others);
        if (enough || !s.released()) {
            shortSince = 0;
        } else if (shortSince == 0) {
            shortSince = Math.max(1, ctx.now);
        }
    }

    /** Data voters beside the primary that stream from it and are nearly as far, and not for long behind. */
    private SortedSet<MemberRef> usable(Set<NodeId> leaving) {
        ClusterState s = ctx.state;
        SortedSet<MemberRef> set = new TreeSet<>();
        for (Member m : s.dataVoters()) {
            boolean other = !m.node().equals(s.primary()) && !leaving.contains(m.node());
            if (other && reports.caughtUp(m, CAUGHT_UP_BYTES) && !reports.slow(m)) {
                set.add(m.ref());
            }
        }
        return set;
    }

    /** Whether all other data voters that are missing from the set have lost their disks for good. */
    private boolean nobodyElseStays(Set<MemberRef> set, Set<NodeId> leaving) {
        ClusterState s = ctx.state;
        return s.dataVoters().stream()
                .filter(m -> !m.node().equals(s.primary()))
                .filter(m -> !set.contains(m.ref()))
                .allMatch(m -> leaving.contains(m.node()) && !setAside.contains(m.node()));
    }

    /** Members of the new half died before it was satisfied: those that stream now take their place. */
    private void replaceUnreleased(Set<NodeId> leaving) {
        ClusterState s = ctx.state;
        Rule next = s.nextRule();
        if (next == null) {
            return;
        }
        SortedSet<MemberRef> live = new TreeSet<>();
        for (Member m : s.dataVoters()) {
            LocalStatus st = reports.freshInEpoch(m.node());
            boolean streams = st != null && st.streamingEpoch() == s.epoch() && st.generation() == m.generation();
            if (streams && !m.node().equals(s.primary())) {
                live.add(m.ref());
            }
        }
        int k = Math.min(Candidates.wantedK(s, live.size()), live.size());
        long stay =
                s.dataVoters().stream().filter(m -> !leaving.contains(m.node())).count();
        boolean enough = k >= next.k() || k >= 1 || stay <= 2;
        Rule better = new Rule(live, k);
        if (enough && !better.equals(next)) {
            propose(new Command.Replace(Command.Condition.of(s), better));
        }
    }

    private void propose(Command command) {
        proposedAt = ctx.now;
        ctx.add(new Action.Propose(command));
    }
}
