package io.quantadb.node.bench;

/** How a node comes back, or into, a cluster; what is judged of it, and by what goal. */
enum RepairScenario {
    /** A standby was away. */
    STREAM_10S("stream-10s", "seconds", Double.NaN),
    STREAM_SIZE("stream-size", "seconds", Double.NaN),
    /** The primary died with WAL that nobody else got, and was away. */
    REWIND_10S("rewind-10s", "seconds", Double.NaN),
    REWIND_SIZE("rewind-size", "seconds", Double.NaN),
    /** The same, and rewinding is off. */
    CLONE_10S("clone-10s", "seconds", Double.NaN),
    CLONE_SIZE("clone-size", "seconds", Double.NaN),
    /** A member was taken out, and comes in again with an empty disk; judged beside the copy itself. */
    ADD_NODE("add-node", "beside_the_copy_seconds", 60),
    /** The leader's agent is killed: until another one leads. */
    ELECTION("election", "ms", 500),
    /** What the primary has flushed, until standbys have applied it, under load; judged by its p99. */
    LAG("lag", "p99_ms", 100);

    private final String label;
    private final String judged;
    private final double goal;

    RepairScenario(String label, String judged, double goal) {
        this.label = label;
        this.judged = judged;
        this.goal = goal;
    }

    String label() {
        return label;
    }

    /** The measure whose largest value must not exceed the goal. */
    String judged() {
        return judged;
    }

    /** NaN where there is none. */
    double goal() {
        return goal;
    }

    /** Whether so much WAL is missed, and not what comes in ten seconds. */
    boolean bySize() {
        return label.endsWith("-size");
    }

    /** The rung that the node must take, as {@link RepairRound} calls it; empty where it takes none. */
    String rung() {
        int dash = label.indexOf('-');
        return switch (this) {
            case ADD_NODE, ELECTION, LAG -> "";
            default -> label.substring(0, dash);
        };
    }

    static RepairScenario of(String label) {
        for (RepairScenario scenario : values()) {
            if (scenario.label.equals(label)) {
                return scenario;
            }
        }
        throw new IllegalArgumentException("there is no scenario '%s'".formatted(label));
    }
}
