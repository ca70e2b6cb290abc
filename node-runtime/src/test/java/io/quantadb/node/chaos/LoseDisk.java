package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.util.Random;

/**
 * A node dies, and everything on its disk with it: one in a round, and not when a member was removed in it, since a
 * majority of two voters is gone with one of them.
 */
final class LoseDisk implements Strike {
    @Override
    public String label() {
        return "lose-disk";
    }

    @Override
    public int weight() {
        return 3;
    }

    @Override
    public Step draw(long atMs, Random random) {
        Aim aim = new Aim(random.nextBoolean() ? Role.PRIMARY : Role.ANY, random.nextInt(1 << 10), 0);
        return new Step(atMs, 200 + random.nextInt(5_000), label(), aim, 0);
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        int node = step.aim().node(cluster.primaryIndex(), cluster.size());
        ChaosCluster.Hold hold = cluster.occupy(node);
        try {
            cluster.agent(node);
            cluster.spendDisk();
            cluster.kill(node);
            cluster.emptyDisk(node);
        } catch (Exception e) {
            hold.release();
            throw e;
        }
        return () -> {
            try {
                cluster.ensureStarted(node);
            } finally {
                hold.release();
            }
        };
    }
}
