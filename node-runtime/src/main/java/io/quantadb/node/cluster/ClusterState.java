package io.quantadb.node.cluster;

import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The replicated state machine's value: protocol.md's REPLICATED line and what people want to know beside it. It is
 * changed by {@link Transitions} alone.
 *
 * @param clusterId empty until bootstrapped
 * @param clusterVersion the lowest release among the members
 * @param version the rule version: every rule entry, Promote and Release names the one that it replaces
 * @param primary the node of {@code epoch}
 * @param primaryGeneration the generation of its data when it was named
 * @param timeline the timeline of {@code epoch}
 * @param releasedEpoch the last epoch that may have shown or acknowledged anything
 * @param releasedGeneration the generation of that epoch's primary
 * @param rule R: the rule of the last released epoch, which governs the next failover
 * @param nextRule N: its second half while it changes, and from Promote until Release
 * @param history every promoted epoch, oldest first, the newest {@value #MAX_HISTORY}
 * @param lastTimeline the highest timeline ever issued
 * @param failovers the last {@value #MAX_FAILOVERS} moves of the primary, oldest first
 */
public record ClusterState(
        String clusterId,
        long systemIdentifier,
        int clusterVersion,
        long epoch,
        long version,
        @Nullable NodeId primary,
        long primaryGeneration,
        int timeline,
        long releasedEpoch,
        @Nullable NodeId releasedPrimary,
        long releasedGeneration,
        Rule rule,
        @Nullable Rule nextRule,
        List<EpochRecord> history,
        int lastTimeline,
        SortedMap<NodeId, Member> members,
        Settings settings,
        List<FailoverRecord> failovers) {
    public static final int MAX_HISTORY = 256;
    public static final int MAX_FAILOVERS = 16;
    public static final int MAX_MEMBERS = 64;

    /** Before anything was bootstrapped. */
    public static final ClusterState EMPTY = new ClusterState(
            "",
            0,
            0,
            0,
            0,
            null,
            0,
            0,
            0,
            null,
            0,
            Rule.ALONE,
            null,
            List.of(),
            0,
            Collections.emptySortedMap(),
            Settings.DEFAULT,
            List.of());

    public ClusterState {
        history = List.copyOf(history);
        members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
        failovers = List.copyOf(failovers);
    }

    public boolean bootstrapped() {
        return !clusterId.isEmpty();
    }

    /** Whether the current epoch may show and acknowledge. */
    public boolean released() {
        return epoch > 0 && releasedEpoch == epoch;
    }

    public @Nullable Member member(NodeId node) {
        return members.get(node);
    }

    /** The member when it is this very incarnation, else null. */
    public @Nullable Member member(PeerId peer) {
        Member m = members.get(peer.node());
        return m != null && m.peer().equals(peer) ? m : null;
    }

    /** Whether the node stands in either half of the rule, in any generation. */
    public boolean inRules(NodeId node) {
        return names(rule, node) || (nextRule != null && names(nextRule, node));
    }

    public List<Member> dataVoters() {
        return members.values().stream().filter(Member::dataVoter).toList();
    }

    private static boolean names(Rule rule, NodeId node) {
        for (MemberRef ref : rule.set()) {
            if (ref.node().equals(node)) {
                return true;
            }
        }
        return false;
    }
}
