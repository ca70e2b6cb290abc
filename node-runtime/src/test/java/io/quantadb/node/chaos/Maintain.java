package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.util.Random;

/** A member is not to be promoted for a while, be it the primary. */
final class Maintain implements Strike {
    @Override
    public String label() {
        return "maintenance";
    }

    @Override
    public int weight() {
        return 4;
    }

    @Override
    public boolean primaryMustStay() {
        return true;
    }

    @Override
    public Step draw(long atMs, Random random) {
        Aim aim = new Aim(Role.ANY, random.nextInt(1 << 10), random.nextInt(1 << 10));
        return new Step(atMs, 500 + random.nextInt(10_000), label(), aim, 0);
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        int node = step.aim().node(-1, cluster.size());
        cluster.maintain(step.aim().otherPick(), node, true);
        return () -> cluster.maintain(step.aim().otherPick(), node, false);
    }
}
