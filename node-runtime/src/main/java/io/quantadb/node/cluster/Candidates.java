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
import org.jspecify.annotations.Nullable;

/** Who may be primary next, and by which rule. Pure. */
final class Candidates {
    /** So much WAL to replay takes no time that anyone would notice. */
    private static final long REPLAY_STEP = 1 << 20;

    private Candidates() {}

    /** Holds data, votes, is healthy, not in maintenance, and its priority permits it. */
    static boolean eligible(ClusterState s, NodeId node, @Nullable LocalStatus status) {
        Member m = s.member(node);
        return m != null
                && m.dataVoter()
                && !m.maintenance()
                && m.priority() > 0
                && status != null
                && status.fit()
                && status.server() != ServerState.EMPTY;
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

    /** Of those at the furthest position: least left to replay, then priority, then the leader itself, then by name. */
    static @Nullable NodeId choose(
            ClusterState s,
            Map<NodeId, CoordMessage.FreezeReply> answers,
            Function<NodeId, @Nullable LocalStatus> statuses,
            Position best,
            NodeId self) {
        List<NodeId> able = new ArrayList<>();
        answers.forEach((node, a) -> {
            boolean holdsAll = a.position() != null && EpochHistory.ORDER.compare(a.position(), best) >= 0;
            if (holdsAll && eligible(s, node, statuses.apply(node))) {
                able.add(node);
            }
        });
        return able.stream()
                .min(Comparator.<NodeId>comparingLong(n -> leftToReplay(answers.get(n), best))
                        .thenComparingInt(n -> -priority(s, n))
                        .thenComparingInt(n -> n.equals(self) ? 0 : 1)
                        .thenComparing(Comparator.naturalOrder()))
                .orElse(null);
    }

    private static long leftToReplay(CoordMessage.@Nullable FreezeReply a, Position best) {
        return a == null ? Long.MAX_VALUE : Math.max(0, best.lsn().minus(a.replayed())) / REPLAY_STEP;
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
     * The rule of the next epoch: those that answered and lie on the chosen node's branch, never the primary that is
     * replaced. It asks for as many as there are when that is fewer than wanted, down to none only where a single
     * other data voter exists.
     */
    static Rule nextRule(ClusterState s, NodeId chosen, Map<NodeId, CoordMessage.FreezeReply> answers, Position best) {
        return rule(s, chosen, s.primary(), answers, best);
    }

    /**
     * The rule of an epoch that the old primary hands over: it has answered like any other, lies on the branch, and comes
     * back as a standby at once, so it may stand in it; not when its node leaves, and in mode ALL not before it is back.
     */
    static Rule handedOverRule(
            ClusterState s, NodeId heir, Map<NodeId, CoordMessage.FreezeReply> answers, Position end, boolean leaving) {
        Rule without = rule(s, heir, s.primary(), answers, end);
        boolean alone = without.k() == 0;
        boolean counts = !leaving && (alone || s.settings().mode() != Settings.Mode.ALL);
        return counts ? rule(s, heir, null, answers, end) : without;
    }

    private static Rule rule(
            ClusterState s,
            NodeId chosen,
            @Nullable NodeId leftOut,
            Map<NodeId, CoordMessage.FreezeReply> answers,
            Position best) {
        SortedSet<MemberRef> set = new TreeSet<>();
        SortedSet<MemberRef> anybody = new TreeSet<>();
        for (Member m : s.dataVoters()) {
            if (m.node().equals(chosen) || m.node().equals(leftOut)) {
                continue;
            }
            anybody.add(m.ref());
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
            set = anybody;
        }
        return new Rule(set, Math.min(wantedK(s, set.size()), set.size()));
    }
}
