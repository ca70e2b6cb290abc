package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.util.Random;

/** An operator asks any node for the primary to move, to a named node or the best; other strikes may fall meanwhile. */
final class Switchover implements Strike {
    private static final int DRAIN_MS_MAX = 500;

    @Override
    public String label() {
        return "switchover";
    }

    @Override
    public int weight() {
        return 6;
    }

    @Override
    public Step draw(long atMs, Random random) {
        Aim aim = new Aim(Role.STANDBY, random.nextInt(1 << 10), random.nextInt(1 << 10));
        return new Step(atMs, 0, label(), aim, random.nextInt(DRAIN_MS_MAX));
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        // Half of them leave the choice to the leader.
        String target =
                step.amount() % 2 == 0 ? "" : LinkPlan.id(step.aim().node(cluster.primaryIndex(), cluster.size()));
        cluster.switchOver(step.aim().otherPick(), target, step.amount());
        return Undo.NOTHING;
    }
}
