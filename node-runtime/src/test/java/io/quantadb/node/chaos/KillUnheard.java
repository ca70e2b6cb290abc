package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** The primary dies, and what it sent in its last moments reaches nobody: whatever it acknowledged then was nobody else's. */
final class KillUnheard implements Strike {
    @Override
    public String label() {
        return "kill-unheard";
    }

    @Override
    public int weight() {
        return 8;
    }

    /** The amount is for how many milliseconds nobody hears it. */
    @Override
    public Step draw(long atMs, Random random) {
        Aim aim = new Aim(Role.PRIMARY, random.nextInt(1 << 10), 0);
        return new Step(atMs, 2_000 + random.nextInt(4_000), label(), aim, 50 + random.nextInt(350));
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        int node = cluster.primaryIndex();
        if (node < 0) {
            throw new Skipped("there is no primary");
        }
        List<Link> out = Link.of(node, cluster.size()).stream()
                .filter(link -> link.from() == node)
                .toList();
        ChaosCluster.Hold hold = cluster.occupy(node);
        try {
            cluster.agent(node);
            Undo mend = cluster.impose(out, LinkFaults.severed());
            try {
                TimeUnit.MILLISECONDS.sleep(step.amount());
                cluster.kill(node);
                // What the links hold would be delivered when they are mended.
                out.forEach(cluster.proxy()::reset);
            } finally {
                mend.run();
            }
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
