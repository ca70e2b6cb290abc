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

    public Settings {
        if (heartbeatMillis < 1 || electionTimeoutMinMillis < 3 * heartbeatMillis) {
            throw new IllegalArgumentException("electionTimeoutMinMillis=%d must be at least 3 times heartbeatMillis=%d"
                    .formatted(electionTimeoutMinMillis, heartbeatMillis));
        }
        if (electionTimeoutMaxMillis <= electionTimeoutMinMillis || electionTimeoutMaxMillis > 600_000) {
            throw new IllegalArgumentException(
                    "electionTimeoutMaxMillis=%d must be above electionTimeoutMinMillis=%d and at most 600000"
                            .formatted(electionTimeoutMaxMillis, electionTimeoutMinMillis));
        }
        if (leaseMillis < heartbeatMillis || leaseMillis * 10L > electionTimeoutMinMillis * 9L) {
            throw new IllegalArgumentException(
                    "leaseMillis=%d must be from heartbeatMillis=%d to nine tenths of electionTimeoutMinMillis=%d"
                            .formatted(leaseMillis, heartbeatMillis, electionTimeoutMinMillis));
        }
    }
}
