package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** What happens to the processes of a node. */
enum ProcessStrike implements Strike {
    KILL_AGENT(5, 200, 6_000),
    /** The postmaster alone; its children notice. */
    KILL_POSTMASTER(5, 0, 0),
    KILL_POSTGRES_TREE(5, 0, 0),
    /** Agent and PostgreSQL at once, as a power cut would. */
    KILL_NODE(6, 200, 8_000),
    PAUSE_AGENT(7, 100, 5_000),
    /** Every process of the server stands still: it hangs, and its agent lives. */
    PAUSE_POSTGRES(4, 100, 5_000),
    /** The agent is told to stop, and is started again. */
    RESTART_NODE(4, 0, 0);

    private final int weight;
    private final int forMinMs;
    private final int forMaxMs;

    ProcessStrike(int weight, int forMinMs, int forMaxMs) {
        this.weight = weight;
        this.forMinMs = forMinMs;
        this.forMaxMs = forMaxMs;
    }

    static List<Strike> all() {
        return List.of(values());
    }

    @Override
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public int weight() {
        return weight;
    }

    @Override
    public Step draw(long atMs, Random random) {
        Role role = random.nextInt(5) < 3 ? Role.PRIMARY : Role.STANDBY;
        Aim aim = new Aim(role, random.nextInt(1 << 10), 0);
        int forMs = forMaxMs == 0 ? 0 : forMinMs + random.nextInt(forMaxMs - forMinMs);
        return new Step(atMs, forMs, label(), aim, 0);
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        int node = step.aim().node(cluster.primaryIndex(), cluster.size());
        ChaosCluster.Hold hold = cluster.occupy(node);
        try {
            return strike(node, cluster, hold);
        } catch (Exception e) {
            hold.release();
            throw e;
        }
    }

    private Undo strike(int node, ChaosCluster cluster, ChaosCluster.Hold hold) throws Exception {
        ProcessMark agent = cluster.agent(node);
        List<ProcessMark> postgres =
                NodeProcesses.postgresTree(cluster.node(node).postgresData());
        switch (this) {
            case KILL_AGENT -> require(agent.kill());
            case KILL_NODE -> {
                require(agent.kill());
                postgres.forEach(ProcessMark::kill);
            }
            case KILL_POSTMASTER ->
                require(!postgres.isEmpty() && postgres.getFirst().kill());
            case KILL_POSTGRES_TREE -> {
                require(!postgres.isEmpty());
                postgres.forEach(ProcessMark::kill);
            }
            case PAUSE_AGENT -> ChaosCluster.signal("-STOP", List.of(agent));
            case PAUSE_POSTGRES -> {
                require(!postgres.isEmpty());
                ChaosCluster.signal("-STOP", postgres);
            }
            case RESTART_NODE -> {
                require(agent.terminate());
                cluster.awaitEnd(agent);
            }
        }
        return () -> {
            try {
                switch (this) {
                    case PAUSE_AGENT -> ChaosCluster.signal("-CONT", List.of(agent));
                    case PAUSE_POSTGRES -> ChaosCluster.signal("-CONT", postgres);
                    default -> {
                        // The agent sees to its server.
                    }
                }
                cluster.ensureStarted(node);
            } finally {
                hold.release();
            }
        };
    }

    private static void require(boolean struck) throws Skipped {
        if (!struck) {
            throw new Skipped("it was gone");
        }
    }
}
