package io.quantadb.node.bench;

import java.util.Locale;

/**
 * What happens to the cluster, and within which time writes shall be back. The goals of the single faults are the design's;
 * those of the last two follow from what it promises.
 */
enum Scenario {
    /** Agent and PostgreSQL die together. */
    KILL_NODE(800, 1500, 1),
    /** The agent dies, PostgreSQL is an orphan. */
    KILL_AGENT(1000, 2000, 1),
    /** The postmaster dies; in every second round its whole process tree. */
    KILL_POSTGRES(400, 1000, 1),
    /** The agent stops for a while (SIGSTOP) and goes on later. */
    PAUSE_AGENT(1000, 2000, 1),
    /** The node is cut off from the others. */
    PARTITION(1000, 2000, 1),
    /** The agent is told to stop (SIGTERM): it stops PostgreSQL in order and hands over. */
    STOP_NODE(500, 1000, 1),
    /** Nothing dies: the primary is asked to move to the best node, through the API of the node that it is on. */
    SWITCHOVER(250, 500, 1),
    /**
     * A second primary is lost, by turns: its PostgreSQL, while it is being promoted for one whose node has just died; or
     * its node, as soon as the first one is back. At worst the gap is that of the one fault and of the other.
     */
    DOUBLE_FAILOVER(1200, 2500, 2),
    /**
     * A standby stands still for some seconds, by turns with its agent and without. Nobody need decide anything, since the
     * other one acknowledges, so no commit waits longer than one that lost a race for the disk; one that waits for as long
     * as an election time-out has waited for somebody to notice.
     */
    SLOW_STANDBY(50, 250, 0);

    private final int p50GoalMs;
    private final int maxGoalMs;
    private final int epochs;

    Scenario(int p50GoalMs, int maxGoalMs, int epochs) {
        this.p50GoalMs = p50GoalMs;
        this.maxGoalMs = maxGoalMs;
        this.epochs = epochs;
    }

    /** How many primaries one after another it calls for; every further one was for nothing. */
    int epochs() {
        return epochs;
    }

    int p50GoalMs() {
        return p50GoalMs;
    }

    int maxGoalMs() {
        return maxGoalMs;
    }

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Scenario of(String label) {
        for (Scenario scenario : values()) {
            if (scenario.label().equals(label)) {
                return scenario;
            }
        }
        throw new IllegalArgumentException("there is no scenario '%s'".formatted(label));
    }
}
