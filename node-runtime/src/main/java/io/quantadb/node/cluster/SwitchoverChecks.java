package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Who may become primary because somebody asks for it, and the reasons why a node may not. Decides upon reports alone. */
final class SwitchoverChecks {
    /** Further behind than this, a node is not thought of as an heir. */
    static final long LAG_BYTES_MAX = 16L << 20;

    /** So close behind that the rest passes while the old primary stops. */
    static final long CLOSE_BYTES = 1L << 20;

    private SwitchoverChecks() {}

    /** An heir, or why there is none; exactly one of them is null. */
    record Choice(@Nullable NodeId heir, @Nullable String objection) {}

    /**
     * The node that was named, else the best: the closest behind by megabytes, then one of the same region, then priority,
     * then one of the same zone, then name.
     */
    static Choice choose(ClusterState s, Reports reports, @Nullable NodeId named) {
        if (named != null) {
            String objection = objection(s, reports, named, LAG_BYTES_MAX);
            return new Choice(objection == null ? named : null, objection);
        }
        List<String> objections = new ArrayList<>();
        List<Member> able = new ArrayList<>();
        for (Member m : s.dataVoters()) {
            if (m.node().equals(s.primary())) {
                continue;
            }
            String objection = Candidates.inReach(s, m)
                    ? objection(s, reports, m.node(), LAG_BYTES_MAX)
                    : "%s stands in another region: name it if it shall take over".formatted(m.node());
            if (objection == null) {
                able.add(m);
            } else {
                objections.add(objection);
            }
        }
        return able.stream()
                .min(Comparator.<Member>comparingLong(m -> behind(s, reports, m.node()) / CLOSE_BYTES)
                        .thenComparing(m -> !Candidates.ofThePrimarysRegion(s, m))
                        .thenComparingInt(m -> -m.priority())
                        .thenComparing(m -> !Candidates.ofThePrimarysZone(s, m))
                        .thenComparing(Member::node))
                .map(m -> new Choice(m.node(), null))
                .orElseGet(() -> new Choice(
                        null,
                        objections.isEmpty()
                                ? "there is no other data voter that could be primary"
                                : "no node can take over: " + String.join("; ", objections)));
    }

    /** Why the primary cannot give way in order; null when it can. */
    static @Nullable String primaryObjection(ClusterState s, Reports reports) {
        LocalStatus p = reports.freshInEpoch(s.primary());
        if (p == null) {
            return "the primary, %s, has not been heard from lately".formatted(s.primary());
        }
        boolean runs = p.server() == ServerState.PRIMARY && p.generation() == s.primaryGeneration();
        return runs ? null : "the primary's PostgreSQL on %s does not run".formatted(s.primary());
    }

    /** Why this node may not become primary now; null when it may. */
    static @Nullable String objection(ClusterState s, Reports reports, NodeId node, long lagBytesMax) {
        Member m = s.member(node);
        if (m == null) {
            return "%s is no member of this cluster; the members are %s"
                    .formatted(
                            node,
                            s.members().keySet().stream().map(NodeId::value).collect(Collectors.joining(", ")));
        }
        if (node.equals(s.primary())) {
            return "%s is the primary already".formatted(node);
        }
        if (m.kind() != MemberKind.DATA) {
            return "%s is a %s and cannot be primary".formatted(node, kind(m));
        }
        if (!m.dataVoter()) {
            return m.state() == MemberState.LEAVING
                    ? "%s is being removed".formatted(node)
                    : "%s does not vote yet: it has to catch up first".formatted(node);
        }
        if (m.fence().fenced()) {
            return "%s is fenced: end that first (quantadb unfence %s)".formatted(node, node);
        }
        if (m.maintenance()) {
            return "%s is in maintenance: end that first (quantadb members maintenance %s --off)".formatted(node, node);
        }
        if (m.priority() <= 0) {
            return "%s has priority 0, and is never primary".formatted(node);
        }
        LocalStatus st = reports.freshInEpoch(node);
        return st == null
                ? "%s has not been heard from lately".formatted(node)
                : objection(s, reports, m, st, lagBytesMax);
    }

    private static @Nullable String objection(
            ClusterState s, Reports reports, Member m, LocalStatus st, long lagBytesMax) {
        NodeId node = m.node();
        if (!st.fit()) {
            return "%s is unfit: %s".formatted(node, st.reason());
        }
        if (st.generation() != m.generation() || st.server() != ServerState.STANDBY) {
            return "%s has no running standby".formatted(node);
        }
        if (st.streamingEpoch() != s.epoch()) {
            return "%s does not stream from the primary".formatted(node);
        }
        long behind = behind(s, reports, node);
        if (behind > lagBytesMax) {
            return "%s is %d bytes of WAL behind, more than %d".formatted(node, behind, lagBytesMax);
        }
        // Promotion replays it all, and writes are away for as long as that takes.
        long unreplayed = st.replayed().equals(Lsn.NONE) ? 0 : st.flushed().minus(st.replayed());
        return unreplayed > LAG_BYTES_MAX
                ? "%s has %d bytes of WAL left to replay, more than %d".formatted(node, unreplayed, LAG_BYTES_MAX)
                : null;
    }

    private static String kind(Member m) {
        return m.kind() == MemberKind.WITNESS ? "witness" : "read replica";
    }

    /** WAL that is known to be flushed somewhere, and not on this node. */
    private static long behind(ClusterState s, Reports reports, NodeId node) {
        LocalStatus p = reports.freshInEpoch(s.primary());
        LocalStatus st = reports.freshInEpoch(node);
        if (p == null || st == null) {
            return Long.MAX_VALUE;
        }
        return Math.max(0, p.flushed().minus(st.flushed()));
    }
}
