package io.quantadb.node.sim;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Losses that the rule in force does not bear: the primary's disk while nobody acknowledges beside it, or the data, or for
 * long the nodes, of the primary and of more members of the rule than may be lost. Some node always keeps its data, and a
 * majority its votes.
 */
final class SimLosses {
    private final SimRun run;
    private final SimWorld world;

    SimLosses(SimRun run) {
        this.run = run;
        this.world = run.world;
    }

    /** WAL comes late to some of the nodes for a while, so that they are not equally far, and some take longer to promise. */
    void lag() {
        for (SimNode n : run.nodes) {
            if (world.chance(0.4)) {
                n.slow.begin(
                        SimSlowness.Part.WAL_ARRIVAL,
                        50 + world.random.nextInt(800),
                        200 + world.random.nextInt(1_500));
            }
            if (world.chance(0.3)) {
                n.slow.begin(SimSlowness.Part.FACTS, 250, 200 + world.random.nextInt(1_500));
            }
        }
    }

    /** The primary, while it alone acknowledges: for a while, or with its disk when all others are there. */
    void loseThePrimary() {
        ClusterState s = world.oracle.committed;
        boolean alone = s.rule().k() == 0 && s.nextRule() == null && s.released() && run.serving() != null;
        if (!alone) {
            return;
        }
        SimNode primary = world.nodes.get(s.primary());
        if (world.chance(0.6) && othersAreThere(s)) {
            primary.wipe();
        } else {
            primary.crash();
        }
        world.afterMs(100, 4_000, () -> run.restart(primary));
    }

    /** All of them vote, and one at least follows, so that it does not throw its data away. */
    private boolean othersAreThere(ClusterState s) {
        boolean vote = run.nodes.stream().filter(n -> !n.id.equals(s.primary())).allMatch(n -> {
            Member m = s.member(n.self);
            return n.running() && m != null && m.state() == MemberState.VOTER;
        });
        return vote && run.nodes.stream().anyMatch(n -> !n.pg.empty && !n.pg.spoiled && follows(n));
    }

    private boolean follows(SimNode n) {
        return n.kind == MemberKind.DATA && world.oracle.committed.primary().equals(n.relay.upstream());
    }

    /** Data of the primary and of others, or these nodes for some seconds, while the rest is behind. */
    void loseMany() {
        if (!run.whole()) {
            return;
        }
        NodeId primary = world.oracle.committed.primary();
        List<SimNode> others = new ArrayList<>(run.nodes.stream()
                .filter(n -> n.kind == MemberKind.DATA && !n.id.equals(primary))
                .toList());
        Collections.shuffle(others, new Random(world.random.nextLong()));
        boolean forGood = world.chance(0.6);
        int bears = run.nodes.size() - (run.nodes.size() / 2 + 1);
        int mayGo = forGood ? others.size() : Math.min(others.size(), bears);
        int go = world.random.nextInt(mayGo);
        List<SimNode> struck = new ArrayList<>(others.subList(0, go));
        struck.add(world.nodes.get(primary));
        others.subList(go, others.size())
                .forEach(n -> n.slow.begin(
                        SimSlowness.Part.WAL_ARRIVAL,
                        100 + world.random.nextInt(1_500),
                        500 + world.random.nextInt(1_000)));
        world.afterMs(100, 700, () -> {
            if (run.whole() && primary.equals(world.oracle.committed.primary())) {
                struck.forEach(n -> strike(n, forGood));
            }
        });
    }

    private void strike(SimNode n, boolean forGood) {
        if (forGood) {
            n.loseData();
            world.afterMs(30, 600, () -> run.restart(n));
        } else {
            n.crash();
            world.afterMs(2_000, 8_000, () -> run.restart(n));
        }
    }

    /** One that is no primary, for so long that the rule may shrink. */
    void stayAway(SimNode n) {
        if (n != run.primaryOr(n) && n.up) {
            n.crash();
            world.afterMs(500, 4_000, () -> run.restart(n));
        }
    }
}
