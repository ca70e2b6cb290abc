package io.quantadb.node.sim;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.Command.PromoteKind;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.sim.invariants.AcknowledgementsSurvive;
import io.quantadb.node.sim.invariants.FailoversStayInTheRegion;
import io.quantadb.node.sim.invariants.ForceIsTheLastResort;
import io.quantadb.node.sim.invariants.LossIsChosen;
import io.quantadb.node.sim.invariants.MovesAreSpaced;
import io.quantadb.node.sim.invariants.ReplacedPrimariesShowNothing;
import io.quantadb.node.sim.invariants.TheFurthestIsTaken;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Sees by what right each epoch is given to whom, and what that one holds, and tells the invariants of promotions. */
final class PromotionOracle {
    /** More than whoever is well takes to be asked and to answer, whenever within a failover that begins. */
    private static final long ANSWERS_MS = 500;
    /** Longer than a command takes that was decided upon before. */
    private static final long SETTLED_MS = 3_000;

    private static final String UNFIT = "the primary is unfit";
    private static final String BARRED = "the epoch cannot be released";
    /** How long the first ways out of such an epoch are given, ADR 0011. */
    private static final long BARRED_MS = 4_000;

    private final SimWorld world;
    private final AcknowledgementsSurvive<SimPostgres.Rec> survive;
    private final ReplacedPrimariesShowNothing replaced = new ReplacedPrimariesShowNothing();
    private final TheFurthestIsTaken furthest = new TheFurthestIsTaken();
    private final LossIsChosen chosen = new LossIsChosen();
    private final ForceIsTheLastResort force = new ForceIsTheLastResort();
    private final FailoversStayInTheRegion regions = new FailoversStayInTheRegion();
    private final MovesAreSpaced moves = new MovesAreSpaced();
    private final MovesAreSpaced waysOut = new MovesAreSpaced();
    private final Map<PromoteKind, Integer> promoted = new EnumMap<>(PromoteKind.class);
    /** What was decided just before may be committed after. */
    private long asyncEndedAt = Long.MIN_VALUE / 2;

    PromotionOracle(SimWorld world, AcknowledgementsSurvive<SimPostgres.Rec> survive) {
        this.world = world;
        this.survive = survive;
    }

    /** How many epochs were given away by that right. */
    int promoted(PromoteKind kind) {
        return promoted.getOrDefault(kind, 0);
    }

    void onApplied(ClusterState before, ClusterState after) {
        if (async(before) && !async(after)) {
            asyncEndedAt = world.now;
        }
    }

    private static boolean async(ClusterState s) {
        return s.settings().mode() == Settings.Mode.ASYNC;
    }

    void onPromoted(ClusterState before, ClusterState after, Command.Promote p) {
        promoted.merge(p.kind(), 1, Integer::sum);
        SimNode node = world.nodes.get(after.primary());
        int held = node.facts.generation == after.primaryGeneration() ? held(node) : 0;
        if (p.kind() != PromoteKind.SAME_PRIMARY) {
            replaced.onPromoted(after.epoch());
        }
        switch (p.kind()) {
            case ASYNC -> {
                boolean async = async(before) || world.now - asyncEndedAt < SETTLED_MS * SimWorld.MS;
                chosen.onPromoted(
                        after.epoch(), node.id.toString(), before.rule().k(), async);
                taken("C", before, node, held, world.timeOf(p.whenMillis()) - ANSWERS_MS * SimWorld.MS);
                survive.onMayLack(held);
            }
            case FORCED -> {
                force.onPromoted(after.epoch(), node.id.toString(), held);
                survive.onMayLack(held);
            }
            default -> {
                // Nothing may be lost.
            }
        }
        if (p.kind() == PromoteKind.FROZEN || p.kind() == PromoteKind.ASYNC) {
            stays(before, after);
        }
        if (p.kind() == PromoteKind.HANDED_OVER) {
            moves.onEnded();
        } else if (p.reason().startsWith(UNFIT)) {
            moves.onMove(p.reason(), p.whenMillis(), before.settings().tuning().moveDelayMillis());
        } else if (p.reason().equals(BARRED)) {
            waysOut.onMove(p.reason(), p.whenMillis(), BARRED_MS);
        }
    }

    void onReleased() {
        waysOut.onEnded();
    }

    void onShown(SimNode node, long epoch) {
        replaced.onShown(node.id.toString(), epoch);
    }

    /** A leader takes an operator's word that this node, whom nobody had to name, shall be primary. */
    void onForced(SimNode leader, NodeId whom) {
        ClusterState s = world.oracle.committed;
        SimNode node = world.nodes.get(whom);
        long since = world.now - ANSWERS_MS * SimWorld.MS;
        boolean leads = leader.leads() && leader.inPartSince(since) && leader.wellSince(since);
        int well = 0;
        for (MemberRef ref : s.rule().set()) {
            SimNode n = world.nodes.get(ref.node());
            well += leads && standsBy(s, n, since) && n.facts.generation == ref.generation() ? 1 : 0;
        }
        int needed = s.rule().k() == 0 ? Integer.MAX_VALUE : s.rule().freezeQuorum();
        force.onAccepted(whom.toString(), held(node), well, needed);
        if (leads) {
            taken("D", s, node, held(node), since);
        }
    }

    private int held(SimNode node) {
        return node.pg.empty || node.pg.spoiled ? 0 : survive.held(node.pg.wal, node.pg.flushed);
    }

    private void taken(String right, ClusterState s, SimNode node, int held, long since) {
        if (world.nodes.values().stream().noneMatch(n -> n.leads() && n.wellSince(since))) {
            return;
        }
        for (Member m : s.dataVoters()) {
            SimNode other = world.nodes.get(m.node());
            if (other != node && other.self.equals(m.peer()) && standsBy(s, other, since)) {
                int owed = Math.min(survive.owed(), held(other));
                furthest.onTaken(right, node.id.toString(), held, other.id.toString(), owed);
            }
        }
    }

    /** With its data, all the time, and nobody could take it for lost. */
    private static boolean standsBy(ClusterState s, SimNode n, long since) {
        Member m = s.member(n.self);
        return m != null
                && m.generation() == n.facts.generation
                && !n.pg.empty
                && !n.pg.spoiled
                && n.pg.state == ServerState.STANDBY
                && n.wellSince(since);
    }

    private void stays(ClusterState before, ClusterState after) {
        if (before.settings().tuning().acrossRegions()) {
            return;
        }
        Set<String> near = new TreeSet<>();
        for (NodeId id : new NodeId[] {before.primary(), before.releasedPrimary()}) {
            Member m = id == null ? null : before.member(id);
            if (m != null) {
                near.add(m.region());
            }
        }
        Member m = before.member(after.primary());
        if (m != null && m.kind() == MemberKind.DATA) {
            regions.onFailover(after.epoch(), m.node().toString(), m.region(), near);
        }
    }
}
