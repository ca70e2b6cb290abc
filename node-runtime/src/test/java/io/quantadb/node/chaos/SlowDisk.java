package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The disk under one node takes only some writes in a second for a while: WAL, checkpoints and the agent's log alike. */
final class SlowDisk implements Strike {
    private static final int WRITES_MIN = 4;
    private static final int WRITES_MAX = 100;

    @Override
    public String label() {
        return "slow-disk";
    }

    @Override
    public int weight() {
        return 5;
    }

    @Override
    public Step draw(long atMs, Random random) {
        Aim aim = new Aim(random.nextBoolean() ? Role.PRIMARY : Role.ANY, random.nextInt(1 << 10), 0);
        int writes = WRITES_MIN + random.nextInt(WRITES_MAX - WRITES_MIN);
        return new Step(atMs, 500 + random.nextInt(8_000), label(), aim, writes);
    }

    @Override
    public String missing(ChaosCluster cluster) {
        return cluster.brakeMissing();
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        int node = step.aim().node(cluster.primaryIndex(), cluster.size());
        if (cluster.smallDisk().filter(disk -> disk.node() == node).isPresent()) {
            throw new Skipped("its disk is in memory");
        }
        IoBrake brake = cluster.brake().orElseThrow(() -> new Skipped(cluster.brakeMissing()));
        List<ProcessMark> processes = new ArrayList<>();
        processes.add(cluster.agent(node));
        processes.addAll(NodeProcesses.postgresTree(cluster.node(node).postgresData()));
        return brake.slow(LinkPlan.id(node), processes, step.amount());
    }
}
