package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Who would be made primary by force and what that may lose, as far as the leader knows; or why nothing is to be forced.
 *
 * @param objection why not; null when it may be done
 * @param chosen who would be primary
 * @param words for the operator, some lines
 */
record LossReport(@Nullable String objection, @Nullable NodeId chosen, String words) {
    static LossReport of(Context ctx, Reports reports, @Nullable NodeId target) {
        String goesOn = goesOn(ctx, reports);
        if (!ctx.rules.mayForce(goesOn != null)) {
            return new LossReport(goesOn, null, "");
        }
        List<String> objections = new ArrayList<>();
        NodeId best = null;
        for (Member m : candidates(ctx, reports)) {
            String why = objection(reports, m);
            if (why != null) {
                objections.add(why);
            } else if (best == null || m.node().equals(target)) {
                best = m.node();
            }
        }
        if (target != null && !target.equals(best)) {
            Member named = ctx.state.member(target);
            String why = named == null ? "no member is called " + target : objection(reports, named);
            return new LossReport(why == null ? target + " cannot be primary" : why, null, "");
        }
        if (best == null) {
            String why = objections.isEmpty() ? "there is no other data voter" : String.join("; ", objections);
            return new LossReport("nobody can be made primary: " + why, null, "");
        }
        return new LossReport(null, best, words(ctx, reports, best));
    }

    /** Who has most of what the last released epoch acknowledged comes first. */
    private static List<Member> candidates(Context ctx, Reports reports) {
        return ctx.state.dataVoters().stream()
                .sorted(Comparator.<Member>comparingLong(m ->
                                -released(ctx.state, reports.fresh(m.node())).value())
                        .thenComparing(Member::node))
                .toList();
    }

    /** How far its WAL is that of the last released epoch: what lies beyond on a branch of its own saves nothing. */
    private static Lsn released(ClusterState s, @Nullable LocalStatus st) {
        if (st == null) {
            return Lsn.NONE;
        }
        Position end = st.position();
        int timeline = s.history().stream()
                .filter(e -> e.epoch() == s.releasedEpoch())
                .mapToInt(EpochRecord::timeline)
                .findFirst()
                .orElse(s.timeline());
        return end == null ? ForcedFailover.reach(st) : EpochHistory.commonUpTo(s.history(), timeline, end);
    }

    private static @Nullable String objection(Reports reports, Member m) {
        LocalStatus st = reports.fresh(m.node());
        if (!m.dataVoter()) {
            return m.node() + " is no data voter";
        }
        if (m.fence().fenced()) {
            return "%s is fenced: unfence it first (quantadb unfence %s)".formatted(m.node(), m.node());
        }
        if (st == null) {
            return m.node() + " is not heard from";
        }
        if (!st.fit()) {
            return "%s is unfit: %s".formatted(m.node(), st.reason());
        }
        return st.server() == ServerState.EMPTY ? m.node() + " holds no whole copy of the data" : null;
    }

    // ---- whether it would go on by itself

    /** What is done without an operator's word, so that nothing need be lost; null when nothing is. */
    private static @Nullable String goesOn(Context ctx, Reports reports) {
        ClusterState s = ctx.state;
        LocalStatus p = reports.freshInEpoch(s.primary());
        boolean own = p != null && p.generation() == s.primaryGeneration() && p.fit();
        if (own && p != null && p.server() == ServerState.PRIMARY) {
            return "%s is primary and its PostgreSQL runs: move it in order (quantadb switchover), or fence it"
                    .formatted(s.primary());
        }
        Position end = p == null ? null : p.position();
        if (own && s.released() && end != null && end.timeline() == s.timeline()) {
            return "%s answers and has its data: its PostgreSQL is started again by itself".formatted(s.primary());
        }
        LocalStatus last = reports.fresh(s.releasedPrimary());
        if (!s.released()
                && last != null
                && last.fit()
                && last.generation() == s.releasedGeneration()
                && last.server() != ServerState.EMPTY) {
            return "%s was primary before and has all that was acknowledged: the failover goes on by itself"
                    .formatted(s.releasedPrimary());
        }
        if (answering(ctx, reports) < needed(ctx)) {
            return null;
        }
        boolean able =
                s.dataVoters().stream().anyMatch(m -> Candidates.eligible(ctx, m.node(), reports.fresh(m.node())));
        if (!able) {
            return null;
        }
        return s.settings().pausedAt(ctx.wallMillis)
                ? "the cluster is in maintenance, which holds the failover back: end it (quantadb maintenance off)"
                : s.settings().mode() == Settings.Mode.ASYNC
                        ? "the failover goes on by itself, to whoever of those that answer has most of it; wait for it"
                        : "enough members answer: the failover goes on by itself and loses nothing; wait for it";
    }

    /** How many of R must answer; more than there are where nobody acknowledged beside the primary. */
    private static int needed(Context ctx) {
        ClusterState s = ctx.state;
        boolean async = s.settings().mode() == Settings.Mode.ASYNC;
        return s.rule().k() == 0 ? (async ? 0 : Integer.MAX_VALUE) : ctx.rules.freezeQuorum(s.rule());
    }

    private static int answering(Context ctx, Reports reports) {
        ClusterState s = ctx.state;
        int count = 0;
        for (Member m : s.dataVoters()) {
            LocalStatus st = reports.fresh(m.node());
            boolean data = st != null && st.server() != ServerState.EMPTY;
            if (data && st != null && ctx.rules.answersFor(s.rule(), new MemberRef(m.node(), st.generation()))) {
                count++;
            }
        }
        return count;
    }

    // ---- what may be lost

    private static String words(Context ctx, Reports reports, NodeId best) {
        ClusterState s = ctx.state;
        List<String> lines = new ArrayList<>();
        lines.add(why(ctx, reports));
        Lsn have = released(s, reports.fresh(best));
        Lsn most = have;
        for (Member m : s.dataVoters()) {
            Reports.Known known = reports.lastKnown(m.node());
            LocalStatus fresh = reports.fresh(m.node());
            most = known == null ? most : Lsn.max(most, released(s, known.status()));
            if (fresh != null) {
                lines.add("%s answers: %s".formatted(m.node(), end(s, fresh, true)));
            } else if (known == null) {
                lines.add("%s is silent since before this leader led: how far it was is not known".formatted(m.node()));
            } else {
                lines.add(String.format(
                        Locale.ROOT,
                        "%s is silent for %.1f s: %s then",
                        m.node(),
                        known.ageNanos() / 1e9,
                        end(s, known.status(), false)));
            }
        }
        lines.add("%s would be primary, with the cluster's WAL to %s: at least %d bytes behind the furthest known"
                .formatted(best, have, Math.max(0, most.minus(have))));
        lines.add("whatever was acknowledged beyond that is lost for good, also what nobody here knows of");
        return String.join("\n", lines);
    }

    private static String end(ClusterState s, LocalStatus st, boolean fresh) {
        if (st.server() == ServerState.EMPTY) {
            return fresh ? "it holds no whole copy of the data" : "it held no whole copy of the data";
        }
        Lsn at = ForcedFailover.reach(st);
        Lsn shared = released(s, st);
        String beyond = at.compareTo(shared) > 0 ? ", and only up to %s is it the cluster's".formatted(shared) : "";
        return "its WAL %s at %s%s".formatted(fresh ? "ends" : "ended", at, beyond);
    }

    private static String why(Context ctx, Reports reports) {
        ClusterState s = ctx.state;
        String rule = s.rule().set().stream().map(r -> r.node().value()).collect(Collectors.joining(", "));
        return s.rule().k() == 0
                ? "epoch %d: nobody acknowledged commits beside %s, which alone holds them"
                        .formatted(s.epoch(), s.releasedPrimary())
                : "epoch %d: of (%s) %d must answer to know what was acknowledged, and %d do"
                        .formatted(s.epoch(), rule, needed(ctx), answering(ctx, reports));
    }
}
