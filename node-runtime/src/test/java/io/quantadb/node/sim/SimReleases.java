package io.quantadb.node.sim;

import io.quantadb.node.cluster.ClusterVersion;
import java.util.Comparator;

/** Nodes come back with a later release now and then, each when it will. */
final class SimReleases {
    /** Some releases later, each with a version of its own. */
    private static final int LATEST = ClusterVersion.NEWEST + 5;

    private final SimRun run;

    SimReleases(SimRun run) {
        this.run = run;
    }

    /** All of them, or only those who are too old for the others; these are not restarted, whoever leads. */
    void upgradeSome() {
        if (run.world.chance(0.5)) {
            run.nodes.forEach(this::upgrade);
        }
        upgradeWhoIsRefused();
    }

    void upgradeOrReplace(SimNode n, boolean whole) {
        if (whole && run.world.chance(0.3)) {
            replaceTheOldest();
        } else if (n.up && n.release < LATEST && whole) {
            n.crash();
            n.release++;
            run.world.afterMs(30, 300, () -> run.restart(n));
        }
    }

    /** Another disk for the node that holds the version back: it is out for a moment or longer, and comes in with its release. */
    private void replaceTheOldest() {
        run.nodes.stream()
                .filter(n -> n != run.primaryOr(n))
                .min(Comparator.comparingInt(n -> n.release))
                .ifPresent(n -> {
                    if (run.world.chance(0.5)) {
                        run.remove(n);
                    } else {
                        n.wipe();
                        run.world.afterMs(100, 800, () -> run.restart(n));
                    }
                });
    }

    private void upgradeWhoIsRefused() {
        int version = ClusterVersion.of(run.world.oracle.committed);
        run.nodes.stream()
                .filter(n -> n.up && !n.member() && n.release < version)
                .toList()
                .forEach(this::upgrade);
        run.world.afterMs(300, 500, this::upgradeWhoIsRefused);
    }

    private void upgrade(SimNode n) {
        n.crash();
        n.release = LATEST;
        run.restart(n);
    }
}
