package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** A member is taken out for good, and comes back with an empty disk. */
final class RemoveMember implements Strike {
    /** After that, whoever mends everything at the end of the round brings it back. */
    private static final Duration LEAVES = Duration.ofSeconds(20);

    private static final Duration POLL = Duration.ofMillis(200);

    @Override
    public String label() {
        return "remove-member";
    }

    @Override
    public int weight() {
        return 4;
    }

    @Override
    public Step draw(long atMs, Random random) {
        Aim aim = new Aim(Role.STANDBY, random.nextInt(1 << 10), random.nextInt(1 << 10));
        return new Step(atMs, random.nextInt(6_000), label(), aim, 0);
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        int node = step.aim().node(cluster.primaryIndex(), cluster.size());
        ChaosCluster.Hold turn = cluster.removals().take();
        try {
            ChaosCluster.Hold processes = cluster.occupy(node);
            try {
                cluster.removals().remove(step.aim().otherPick(), node);
                return () -> bringBack(node, cluster, turn, processes);
            } catch (Exception e) {
                processes.release();
                throw e;
            }
        } catch (Exception e) {
            turn.release();
            throw e;
        }
    }

    private static void bringBack(int node, ChaosCluster cluster, ChaosCluster.Hold turn, ChaosCluster.Hold processes)
            throws Exception {
        try {
            long end = System.nanoTime() + LEAVES.toNanos();
            while (!cluster.removals().bringBack(node) && System.nanoTime() < end) {
                TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
            }
        } finally {
            processes.release();
            turn.release();
        }
    }
}
