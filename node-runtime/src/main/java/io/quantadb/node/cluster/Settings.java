package io.quantadb.node.cluster;

/**
 * Settings that are one for the whole cluster and replicated.
 *
 * @param electionTimeoutMinMillis no vote and no failover within this of hearing a leader or primary
 * @param leaseMillis the longest lease, shorter than the minimum election timeout by a margin for drift
 */
public record Settings(
        Mode mode,
        Policy policy,
        int heartbeatMillis,
        int electionTimeoutMinMillis,
        int electionTimeoutMaxMillis,
        int leaseMillis) {
    /** How many members acknowledge. */
    public enum Mode {
        QUORUM,
        ALL,
        ASYNC
    }

    /** What happens when fewer members than the rule needs are usable. */
    public enum Policy {
        BLOCK,
        SHRINK
    }

    public static final Settings DEFAULT = new Settings(Mode.QUORUM, Policy.BLOCK, 50, 300, 500, 240);

    /** With the timers as one. */
    public Settings(Mode mode, Policy policy, Timers t) {
        this(
                mode,
                policy,
                t.heartbeatMillis(),
                t.electionTimeoutMinMillis(),
                t.electionTimeoutMaxMillis(),
                t.leaseMillis());
    }

    public Settings {
        var _ = new Timers(heartbeatMillis, electionTimeoutMinMillis, electionTimeoutMaxMillis, leaseMillis);
    }

    /** Set when the cluster is formed, and never changed after. */
    public Timers timers() {
        return new Timers(heartbeatMillis, electionTimeoutMinMillis, electionTimeoutMaxMillis, leaseMillis);
    }
}
