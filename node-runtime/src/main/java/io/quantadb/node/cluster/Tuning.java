package io.quantadb.node.cluster;

/**
 * How the cluster weighs quick failovers against needless ones; part of the replicated {@link Settings}, so that every
 * leader decides alike.
 *
 * @param electionBaseMinMillis the minimum election timeout that was chosen when the cluster was formed: what it is
 *     lowered to again after it was raised
 * @param electionBaseMaxMillis the maximum that belongs to it
 * @param electionLimitMillis how far the minimum is raised by itself; the base itself for never
 * @param moveDelayMillis how long after a move away from a living primary the next one for the same cause waits; each
 *     further one waits twice as long, up to {@value #MOVE_DELAY_MAX_MILLIS} ms; 0 for none
 * @param acrossRegions whether a failover may choose a node of another region than the primary's
 * @param slowAfterMillis how old the oldest WAL that a standby has not flushed becomes until it is called slow and, with
 *     {@link Settings.Policy#SHRINK}, no commit waits for it any more
 */
public record Tuning(
        int electionBaseMinMillis,
        int electionBaseMaxMillis,
        int electionLimitMillis,
        int moveDelayMillis,
        boolean acrossRegions,
        int slowAfterMillis) {
    public static final int ELECTION_LIMIT_TIMES = 10;
    public static final int ELECTION_LIMIT_MAX_MILLIS = 60_000;
    public static final int MOVE_DELAY_MILLIS = 10_000;
    public static final int MOVE_DELAY_MAX_MILLIS = 300_000;
    public static final int SLOW_AFTER_MILLIS = 10_000;
    public static final int SLOW_AFTER_MIN_MILLIS = 100;
    public static final int SLOW_AFTER_MAX_MILLIS = 86_400_000;

    public Tuning {
        if (electionBaseMinMillis < 3 || electionBaseMaxMillis <= electionBaseMinMillis) {
            throw new IllegalArgumentException("electionBaseMaxMillis=%d must be above electionBaseMinMillis=%d"
                    .formatted(electionBaseMaxMillis, electionBaseMinMillis));
        }
        if (electionLimitMillis < electionBaseMinMillis
                || electionLimitMillis > Math.max(electionBaseMinMillis, ELECTION_LIMIT_MAX_MILLIS)) {
            throw new IllegalArgumentException(
                    "the election timeout may be raised to %d ms, which must be from %d ms, with which the cluster was formed, to %d ms"
                            .formatted(
                                    electionLimitMillis,
                                    electionBaseMinMillis,
                                    Math.max(electionBaseMinMillis, ELECTION_LIMIT_MAX_MILLIS)));
        }
        if (moveDelayMillis < 0 || moveDelayMillis > MOVE_DELAY_MAX_MILLIS) {
            throw new IllegalArgumentException("the delay between moves is %d ms and must be between 0 and %d"
                    .formatted(moveDelayMillis, MOVE_DELAY_MAX_MILLIS));
        }
        if (slowAfterMillis < SLOW_AFTER_MIN_MILLIS || slowAfterMillis > SLOW_AFTER_MAX_MILLIS) {
            throw new IllegalArgumentException(
                    "the time after which a standby is slow is %d ms and must be between %d and %d"
                            .formatted(slowAfterMillis, SLOW_AFTER_MIN_MILLIS, SLOW_AFTER_MAX_MILLIS));
        }
    }

    /** What a cluster with these timers has where nobody chose otherwise. */
    public static Tuning of(Timers formed) {
        return new Tuning(
                formed.electionTimeoutMinMillis(),
                formed.electionTimeoutMaxMillis(),
                (int) Math.min(
                        Math.max(formed.electionTimeoutMinMillis(), ELECTION_LIMIT_MAX_MILLIS),
                        (long) formed.electionTimeoutMinMillis() * ELECTION_LIMIT_TIMES),
                MOVE_DELAY_MILLIS,
                true,
                SLOW_AFTER_MILLIS);
    }

    /** The timers for this minimum, in the proportions that the cluster was formed with. */
    public Timers timers(int heartbeatMillis, int electionMinMillis) {
        long max = (long) electionMinMillis * electionBaseMaxMillis / electionBaseMinMillis;
        return Timers.of(heartbeatMillis, electionMinMillis, (int) Math.max(electionMinMillis + 1L, max));
    }

    public Tuning withElectionLimit(int millis) {
        return new Tuning(
                electionBaseMinMillis, electionBaseMaxMillis, millis, moveDelayMillis, acrossRegions, slowAfterMillis);
    }

    public Tuning withMoveDelay(int millis) {
        return new Tuning(
                electionBaseMinMillis,
                electionBaseMaxMillis,
                electionLimitMillis,
                millis,
                acrossRegions,
                slowAfterMillis);
    }

    public Tuning withAcrossRegions(boolean may) {
        return new Tuning(
                electionBaseMinMillis,
                electionBaseMaxMillis,
                electionLimitMillis,
                moveDelayMillis,
                may,
                slowAfterMillis);
    }

    public Tuning withSlowAfter(int millis) {
        return new Tuning(
                electionBaseMinMillis,
                electionBaseMaxMillis,
                electionLimitMillis,
                moveDelayMillis,
                acrossRegions,
                millis);
    }
}
