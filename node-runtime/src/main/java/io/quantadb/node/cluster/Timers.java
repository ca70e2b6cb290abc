package io.quantadb.node.cluster;

/**
 * The timers of consensus: one set for the whole cluster, from the configuration of the node that formed it, and longer
 * while nodes or links are slow. A lease holds because every voter that acknowledged it stays away from other candidates
 * for longer than it lasts, and says with its acknowledgement for how long. Every member writes them to its disk before it
 * first takes part, since what it finds there after a restart is how long it stays away from candidates then.
 *
 * @param electionTimeoutMinMillis no vote and no failover within this of hearing a leader or primary
 * @param electionTimeoutMaxMillis the last of the staggered candidates begins by then
 * @param leaseMillis the longest lease, shorter than the minimum election timeout by a margin for drift
 */
public record Timers(int heartbeatMillis, int electionTimeoutMinMillis, int electionTimeoutMaxMillis, int leaseMillis) {
    public Timers {
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

    /** With the lease at 0.8 of the minimum. */
    public static Timers of(int heartbeatMillis, int electionTimeoutMinMillis, int electionTimeoutMaxMillis) {
        return new Timers(
                heartbeatMillis, electionTimeoutMinMillis, electionTimeoutMaxMillis, electionTimeoutMinMillis * 8 / 10);
    }

    /** As one word, for files and greetings: heartbeat, minimum, maximum, lease. */
    public String text() {
        return heartbeatMillis + "/" + electionTimeoutMinMillis + "/" + electionTimeoutMaxMillis + "/" + leaseMillis;
    }

    /** Reads what {@link #text} wrote; throws {@link IllegalArgumentException} for anything else. */
    public static Timers parse(String text) {
        String[] parts = text.split("/", -1);
        if (parts.length != 4) {
            throw new IllegalArgumentException("'%s' are not the four timers of a cluster".formatted(text));
        }
        return new Timers(
                Integer.parseInt(parts[0]),
                Integer.parseInt(parts[1]),
                Integer.parseInt(parts[2]),
                Integer.parseInt(parts[3]));
    }

    @Override
    public String toString() {
        return "heartbeat %d ms, election timeout %d to %d ms, lease %d ms"
                .formatted(heartbeatMillis, electionTimeoutMinMillis, electionTimeoutMaxMillis, leaseMillis);
    }
}
