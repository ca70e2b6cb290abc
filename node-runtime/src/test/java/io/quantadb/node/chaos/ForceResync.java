package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.util.Random;

/** A standby throws its data away and copies the primary's anew, while other strikes fall. */
final class ForceResync implements Strike {
    @Override
    public String label() {
        return "force-resync";
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
        Aim aim = new Aim(Role.STANDBY, random.nextInt(1 << 10), random.nextInt(1 << 10));
        return new Step(atMs, 0, label(), aim, 0);
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        cluster.resync(step.aim().otherPick(), step.aim().node(cluster.primaryIndex(), cluster.size()));
        return Undo.NOTHING;
    }
}
