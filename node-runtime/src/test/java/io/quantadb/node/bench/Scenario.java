package io.quantadb.node.bench;

import java.util.Locale;

/** What happens to the primary, and within which time writes shall be back. */
enum Scenario {
    /** Agent and PostgreSQL die together. */
    KILL_NODE(800, 1500),
    /** The agent dies, PostgreSQL is an orphan. */
    KILL_AGENT(1000, 2000),
    /** The postmaster dies; in every second round its whole process tree. */
    KILL_POSTGRES(400, 1000),
    /** The agent stops for a while (SIGSTOP) and goes on later. */
    PAUSE_AGENT(1000, 2000),
    /** The node is cut off from the others. */
    PARTITION(1000, 2000),
    /** The agent is told to stop (SIGTERM): it stops PostgreSQL in order and hands over. */
    STOP_NODE(500, 1000),
    /** Nothing dies: the primary is asked to move to the best node, through the API of the node that it is on. */
    SWITCHOVER(250, 500);

    private final int p50GoalMs;
    private final int maxGoalMs;

    Scenario(int p50GoalMs, int maxGoalMs) {
        this.p50GoalMs = p50GoalMs;
        this.maxGoalMs = maxGoalMs;
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
