package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who may stream from whom: a read replica may be fed by another member than the primary, one that itself streams from
 * the primary. One level and no more, so that there are no cycles, the lag of a fed member has one hop to be looked for
 * in, and whoever loses its upstream has the primary to go to. Voters always stream from the primary, since what they
 * acknowledge counts only on a stream of its server. See ADR 0030. Pure.
 */
final class Upstreams {
    private Upstreams() {}

    /** Why this member may not be fed by that node, in words for who asked; null when it may. */
    static @Nullable String refusal(ProtocolRules rules, ClusterState s, Member m, @Nullable NodeId upstream) {
        if (upstream == null) {
            return null;
        }
        NodeId node = m.node();
        if (!rules.mayBeFed(m.kind())) {
            return "%s is a %s and streams from the primary, since the rule may count on it: only a read replica may name its upstream"
                    .formatted(node, m.kind() == MemberKind.WITNESS ? "witness" : "data node");
        }
        Member from = s.member(upstream);
        if (upstream.equals(node)) {
            return "%s cannot stream from itself: name another member, or primary".formatted(node);
        }
        if (from == null) {
            return "no member is called %s: name one that holds data, or primary".formatted(upstream);
        }
        if (from.kind() == MemberKind.WITNESS) {
            return "%s is a witness and has no WAL: name a member that holds data, or primary".formatted(upstream);
        }
        if (from.state() == MemberState.LEAVING) {
            return "%s is being removed: name another member, or primary".formatted(upstream);
        }
        if (from.upstream() != null) {
            return "%s is itself fed by %s, and one that is fed feeds nobody: name %s, or primary"
                    .formatted(upstream, from.upstream(), from.upstream());
        }
        List<Member> fed = fedBy(s, node);
        return fed.isEmpty()
                ? null
                : "%s feeds %s, and one that feeds others streams from the primary: give %s another upstream first"
                        .formatted(node, fed.getFirst().node(), fed.getFirst().node());
    }

    /** Whose record names that node. */
    static List<Member> fedBy(ClusterState s, NodeId node) {
        return s.members().values().stream()
                .filter(m -> node.equals(m.upstream()))
                .toList();
    }

    /** Who is to stream from that node, as things are. */
    static Set<NodeId> nodesFedBy(ProtocolRules rules, ClusterState s, NodeId node) {
        Set<NodeId> nodes = new TreeSet<>();
        fedBy(s, node).stream().filter(m -> node.equals(wished(rules, s, m))).forEach(m -> nodes.add(m.node()));
        return nodes;
    }

    /** From whom this member is to stream instead of the primary, as things are; null for the primary. */
    static @Nullable NodeId wished(ProtocolRules rules, ClusterState s, Member m) {
        NodeId upstream = m.upstream();
        boolean counts = upstream != null && !upstream.equals(s.primary()) && refusal(rules, s, m, upstream) == null;
        return counts ? upstream : null;
    }
}
