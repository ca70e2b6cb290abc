package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.util.Random;

/** The disk of one node has no room left for a while. Needs a small file system of its own, which only root can make. */
final class FullDisk implements Strike {
    @Override
    public String label() {
        return "full-disk";
    }

    @Override
    public int weight() {
        return 4;
    }

    @Override
    public Step draw(long atMs, Random random) {
        return new Step(atMs, 1_000 + random.nextInt(6_000), label(), new Aim(Role.ANY, 0, 0), 0);
    }

    @Override
    public String missing(ChaosCluster cluster) {
        return cluster.smallDisk().map(disk -> "").orElseGet(SmallDisk::missing);
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        SmallDisk disk = cluster.smallDisk().orElseThrow(() -> new Skipped("no node has a small disk"));
        ChaosCluster.Hold hold = cluster.occupy(disk.node());
        try {
            disk.fill();
        } catch (Exception e) {
            disk.clear();
            hold.release();
            throw e;
        }
        return () -> {
            try {
                disk.clear();
                cluster.ensureStarted(disk.node());
            } finally {
                hold.release();
            }
        };
    }
}
