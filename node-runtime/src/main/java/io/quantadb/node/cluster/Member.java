package io.quantadb.node.cluster;

import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import org.jspecify.annotations.Nullable;

/**
 * One member as the replicated state knows it.
 *
 * @param peer node and incarnation of its disk; another incarnation of the same node is a stranger
 * @param generation the generation of its data directory that the leader knows of
 * @param zone where it stands, as {@code region/zone} or the zone alone; empty when nobody said
 * @param priority higher is preferred as primary when positions are equal
 * @param maintenance not to be promoted automatically
 * @param fence how far an operator keeps it away from clients
 * @param upstream from whom it is to stream instead of the primary, see {@link Upstreams}; null for the primary
 */
public record Member(
        PeerId peer,
        long generation,
        MemberKind kind,
        MemberState state,
        Addresses addresses,
        String zone,
        int priority,
        boolean maintenance,
        Fence fence,
        @Nullable NodeId upstream) {
    private static final long GENERATIONS_PER_LIFE = 1L << 20;

    /** One that is not fenced, and streams from the primary. */
    public Member(
            PeerId peer,
            long generation,
            MemberKind kind,
            MemberState state,
            Addresses addresses,
            String zone,
            int priority,
            boolean maintenance) {
        this(peer, generation, kind, state, addresses, zone, priority, maintenance, Fence.NONE, null);
    }

    /** Where a new incarnation's generations begin, so that none of the old one's can be mistaken for its own. */
    public static long nextLife(long generation) {
        return (generation / GENERATIONS_PER_LIFE + 1) * GENERATIONS_PER_LIFE;
    }

    public NodeId node() {
        return peer.node();
    }

    public MemberRef ref() {
        return new MemberRef(peer.node(), generation);
    }

    /** The part of the zone before the first slash: nodes of one region are near each other. Empty when there is none. */
    public String region() {
        int slash = zone.indexOf('/');
        return slash < 0 ? "" : zone.substring(0, slash);
    }

    public boolean dataVoter() {
        return kind == MemberKind.DATA && state == MemberState.VOTER;
    }

    Member withState(MemberState next) {
        return new Member(peer, generation, kind, next, addresses, zone, priority, maintenance, fence, upstream);
    }

    Member withGeneration(long next) {
        return new Member(peer, next, kind, state, addresses, zone, priority, maintenance, fence, upstream);
    }

    Member withAddresses(Addresses next, String nextZone, int nextPriority) {
        return new Member(peer, generation, kind, state, next, nextZone, nextPriority, maintenance, fence, upstream);
    }

    Member withMaintenance(boolean next) {
        return new Member(peer, generation, kind, state, addresses, zone, priority, next, fence, upstream);
    }

    Member withFence(Fence next) {
        return new Member(peer, generation, kind, state, addresses, zone, priority, maintenance, next, upstream);
    }

    Member withUpstream(@Nullable NodeId next) {
        return new Member(peer, generation, kind, state, addresses, zone, priority, maintenance, fence, next);
    }
}
