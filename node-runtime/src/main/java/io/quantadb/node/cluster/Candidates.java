package io.quantadb.node.cluster;

import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Who may be primary next, and by which rule. Pure. */
final class Candidates {
    /** So much WAL to replay takes no time that anyone would notice. */
    private static final long REPLAY_STEP = 1 << 20;

    private Candidates() {}

    /** Whether a failover may choose this node. */
    static boolean eligible(Context ctx, NodeId node, @Nullable LocalStatus status) {
        return objection(ctx.rules, ctx.state, node, status) == null;
    }

    /**
     * Why no failover chooses this node, in words; null when one may. It holds data, votes, is healthy, not in
     * maintenance, its priority permits it, and it stands where the cluster may fail over to.
     */
    static @Nullable String objection(ProtocolRules rules, ClusterState s, NodeId node, @Nullable LocalStatus status) {
        Member m = s.member(node);
        if (m == null || !m.dataVoter()) {
            return "%s is no data voter".formatted(node);
        }
        if (m.maintenance()) {
            return "%s is in maintenance".formatted(node);
        }
        if (m.fence().fenced()) {
            return "%s is fenced".formatted(node);
        }
        if (m.priority() <= 0) {
            return "%s has priority 0".formatted(node);
        }
        if (!rules.mayFailOverTo(s, m)) {
            return "%s stands in region '%s', and failovers stay in region '%s'"
                    .formatted(node, m.region(), region(s, s.primary()));
        }
        if (status == null) {
            return "%s is not heard from".formatted(node);
        }
        if (!status.fit()) {
            return "%s is unfit: %s".formatted(node, status.reason());
        }
        return status.server() == ServerState.EMPTY ? "%s has no data yet".formatted(node) : null;
    }

    /** Whether it stands in the region of the primary, or of the last one that was released. */
    static boolean inReach(ClusterState s, Member m) {
        return s.settings().tuning().acrossRegions() || ofThePrimarysRegion(s, m);
    }

    static boolean ofThePrimarysRegion(ClusterState s, Member m) {
        return m.region().equals(region(s, s.primary())) || m.region().equals(region(s, s.releasedPrimary()));
    }

    /** Whether it stands where the primary does, or the last one that was released: near the same clients. */
    static boolean ofThePrimarysZone(ClusterState s, Member m) {
        return m.zone().equals(zone(s, s.primary())) || m.zone().equals(zone(s, s.releasedPrimary()));
    }

    private static @Nullable String zone(ClusterState s, @Nullable NodeId node) {
        Member m = node == null ? null : s.member(node);
        return m == null ? null : m.zone();
    }

    private static @Nullable String region(ClusterState s, @Nullable NodeId node) {
        Member m = node == null ? null : s.member(node);
        return m == null ? null : m.region();
    }

    static @Nullable Position best(Map<NodeId, CoordMessage.FreezeReply> answers) {
        Position best = null;
        for (CoordMessage.FreezeReply a : answers.values()) {
            Position p = a.position();
            if (p != null && (best == null || EpochHistory.ORDER.compare(p, best) > 0)) {
                best = p;
            }
        }
        return best;
    }

    /**
     * Of those at the furthest position, and last among them one that has this epoch and could not serve in it: least left
     * to replay, then one of the primary's region, then priority, then one of
     * the primary's zone, then the leader itself, then by name.
     */
    static @Nullable NodeId choose(
            ProtocolRules rules,
            ClusterState s,
            Map<NodeId, CoordMessage.FreezeReply> answers,
            Function<NodeId, @Nullable LocalStatus> statuses,
            Position best,
            NodeId self) {
        List<NodeId> able = new ArrayList<>();
        answers.forEach((node, a) -> {
            Position end = a.position();
            boolean furthest = end != null && rules.holdsFurthest(s, end, best);
            if (furthest && objection(rules, s, node, statuses.apply(node)) == null) {
                able.add(node);
            }
        });
        return able.stream()
                .min(Comparator.<NodeId, Boolean>comparing(n -> !s.released() && n.equals(s.primary()))
                        .thenComparingLong(n -> leftToReplay(answers.get(n), best))
                        .thenComparing(n -> !near(s, n))
                        .thenComparingInt(n -> -priority(s, n))
                        .thenComparing(n -> !beside(s, n))
                        .thenComparingInt(n -> n.equals(self) ? 0 : 1)
                        .thenComparing(Comparator.naturalOrder()))
                .orElse(null);
    }

    private static long leftToReplay(CoordMessage.@Nullable FreezeReply a, Position best) {
        return a == null ? Long.MAX_VALUE : Math.max(0, best.lsn().minus(a.replayed())) / REPLAY_STEP;
    }

    private static boolean near(ClusterState s, NodeId node) {
        Member m = s.member(node);
        return m != null && ofThePrimarysRegion(s, m);
    }

    private static boolean beside(ClusterState s, NodeId node) {
        Member m = s.member(node);
        return m != null && ofThePrimarysZone(s, m);
    }

    private static int priority(ClusterState s, NodeId node) {
        Member m = s.member(node);
        return m == null ? 0 : m.priority();
    }

    /** How many members acknowledge, besides the primary, when all is well. */
    static int wantedK(ClusterState s, int others) {
        return switch (s.settings().mode()) {
            case QUORUM -> s.dataVoters().size() / 2;
            case ALL -> others;
            case ASYNC -> 0;
        };
    }

    /**
     * The rule of the next epoch: those that answered and lie on the chosen node's branch, without the primary that is
     * replaced. Where nobody does, those whose agents are heard, that primary among them, since whoever comes back first
     * shall acknowledge; else all others. It asks for as many as there are when that is fewer than wanted, down to none
     * only where a single other data voter exists.
     */
    static Rule nextRule(Context ctx, NodeId chosen, Map<NodeId, CoordMessage.FreezeReply> answers, Position best) {
        long silent = ctx.millis(ctx.state.settings().electionTimeoutMinMillis());
        return rule(ctx.state, chosen, ctx.state.primary(), answers, best, n -> ctx.silenceNanos(n) < silent);
    }

    /**
     * The rule of an epoch that the old primary hands over: it has answered like any other, lies on the branch, and comes
     * back as a standby at once, so it may stand in it; not when its node leaves, and in mode ALL not before it is back.
     */
    static Rule handedOverRule(
            ClusterState s, NodeId heir, Map<NodeId, CoordMessage.FreezeReply> answers, Position end, boolean leaving) {
        Rule without = rule(s, heir, s.primary(), answers, end, n -> false);
        boolean alone = without.k() == 0;
        boolean counts = !leaving && (alone || s.settings().mode() != Settings.Mode.ALL);
        return counts ? rule(s, heir, null, answers, end, n -> false) : without;
    }

    private static Rule rule(
            ClusterState s,
            NodeId chosen,
            @Nullable NodeId leftOut,
            Map<NodeId, CoordMessage.FreezeReply> answers,
            Position best,
            Predicate<NodeId> comesBack) {
        SortedSet<MemberRef> set = new TreeSet<>();
        SortedSet<MemberRef> others = new TreeSet<>();
        SortedSet<MemberRef> back = new TreeSet<>();
        for (Member m : s.dataVoters()) {
            if (m.node().equals(chosen)) {
                continue;
            }
            if (comesBack.test(m.node())) {
                back.add(m.ref());
            }
            if (m.node().equals(leftOut)) {
                continue;
            }
            others.add(m.ref());
            CoordMessage.FreezeReply a = answers.get(m.node());
            Position p = a == null ? null : a.position();
            if (a != null && p != null && EpochHistory.ORDER.compare(p, best) <= 0) {
                set.add(new MemberRef(m.node(), a.generation()));
            }
        }
        if (s.settings().mode() == Settings.Mode.ASYNC) {
            return Rule.ALONE;
        }
        if (set.isEmpty() && s.dataVoters().size() > 2) {
            int k = Math.min(wantedK(s, others.size()), others.size());
            return new Rule(back.size() >= k ? back : others, k);
        }
        return new Rule(set, Math.min(wantedK(s, set.size()), set.size()));
    }
}
