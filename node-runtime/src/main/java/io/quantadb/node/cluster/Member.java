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
 * @param ownZone where it stands by its own configuration, as {@code region/zone} or the zone alone; empty when it says
 *     nothing
 * @param ownPriority by its own configuration
 * @param maintenance not to be promoted automatically
 * @param fence how far an operator keeps it away from clients
 * @param upstream from whom it is to stream instead of the primary, see {@link Upstreams}; null for the primary
 * @param set what an operator set instead of its own configuration
 */
public record Member(
        PeerId peer,
        long generation,
        MemberKind kind,
        MemberState state,
        Addresses addresses,
        String ownZone,
        int ownPriority,
        boolean maintenance,
        Fence fence,
        @Nullable NodeId upstream,
        Placement set) {
    private static final long GENERATIONS_PER_LIFE = 1L << 20;

    /** One that is not fenced, and streams from the primary. */
    public Member(
            PeerId peer,
            long generation,
            MemberKind kind,
            MemberState state,
            Addresses addresses,
            String ownZone,
            int ownPriority,
            boolean maintenance) {
        this(
                peer,
                generation,
                kind,
                state,
                addresses,
                ownZone,
                ownPriority,
                maintenance,
                Fence.NONE,
                null,
                Placement.NONE);
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

    /** Where it stands, as {@code region/zone} or the zone alone; empty when nobody said. */
    public String zone() {
        String chosen = set.zone();
        return chosen == null ? ownZone : chosen;
    }

    /** Higher is preferred as primary when positions are equal; 0 is never primary. */
    public int priority() {
        Integer chosen = set.priority();
        return chosen == null ? ownPriority : chosen;
    }

    /** The part of the zone before the first slash: nodes of one region are near each other. Empty when there is none. */
    public String region() {
        String zone = zone();
        int slash = zone.indexOf('/');
        return slash < 0 ? "" : zone.substring(0, slash);
    }

    public boolean dataVoter() {
        return kind == MemberKind.DATA && state == MemberState.VOTER;
    }

    private Member with(MemberState nextState, boolean nextMaintenance, Fence nextFence) {
        return new Member(
                peer,
                generation,
                kind,
                nextState,
                addresses,
                ownZone,
                ownPriority,
                nextMaintenance,
                nextFence,
                upstream,
                set);
    }

    Member withState(MemberState next) {
        return with(next, maintenance, fence);
    }

    Member withMaintenance(boolean next) {
        return with(state, next, fence);
    }

    Member withFence(Fence next) {
        return with(state, maintenance, next);
    }

    Member withGeneration(long next) {
        return new Member(peer, next, kind, state, addresses, ownZone, ownPriority, maintenance, fence, upstream, set);
    }

    /** What its own configuration says by now. */
    Member withAddresses(Addresses next, String nextZone, int nextPriority) {
        return new Member(
                peer, generation, kind, state, next, nextZone, nextPriority, maintenance, fence, upstream, set);
    }

    Member withUpstream(@Nullable NodeId next) {
        return new Member(
                peer, generation, kind, state, addresses, ownZone, ownPriority, maintenance, fence, next, set);
    }

    /** Public for who founds a cluster anew from what another knew. */
    public Member withSet(Placement next) {
        return new Member(
                peer, generation, kind, state, addresses, ownZone, ownPriority, maintenance, fence, upstream, next);
    }
}
