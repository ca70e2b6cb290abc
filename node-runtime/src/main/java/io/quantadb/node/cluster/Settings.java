package io.quantadb.node.cluster;

/**
 * Settings that are one for the whole cluster and replicated.
 *
 * @param shrinkAfterMillis with {@link Policy#SHRINK}: for how long too few members must have been usable before the
 *     rule asks for fewer; 0 to a day
 * @param electionTimeoutMinMillis no vote and no failover within this of hearing a leader or primary
 * @param leaseMillis the longest lease, shorter than the minimum election timeout by a margin for drift
 * @param pausedUntilMillis maintenance: until then, by the leader's wall clock, no failover begins by itself; 0 for none,
 *     {@link #UNTIL_ENDED} until an operator ends it
 * @param tuning how quick failovers are weighed against needless ones
 * @param minorityReads which nodes go on serving reads while they know of no leader
 */
public record Settings(
        Mode mode,
        Policy policy,
        int shrinkAfterMillis,
        int heartbeatMillis,
        int electionTimeoutMinMillis,
        int electionTimeoutMaxMillis,
        int leaseMillis,
        long pausedUntilMillis,
        Tuning tuning,
        MinorityReads minorityReads) {
    /** A maintenance that does not end by itself. */
    public static final long UNTIL_ENDED = Long.MAX_VALUE;

    /** Used where nobody chose {@link #shrinkAfterMillis}. */
    public static final int SHRINK_AFTER_MILLIS = 10_000;

    public static final int SHRINK_AFTER_MAX_MILLIS = 86_400_000;

    /** How many members acknowledge. */
    public enum Mode {
        QUORUM,
        ALL,
        ASYNC
    }

    /** What happens when fewer members than the rule needs are usable. */
    public enum Policy {
        /** Commits wait until enough are usable again. */
        BLOCK,
        /** After {@link #shrinkAfterMillis()} the rule asks for as many as are usable, down to none, and says so. */
        SHRINK
    }

    /** Who serves reads through its own SQL port though no majority is in reach. Values are only ever added at the end. */
    public enum MinorityReads {
        NONE,
        /** Standbys, which show what was so once. */
        REPLICAS,
        /** A former primary too, though it may show commits that the majority never had. */
        ALL
    }

    public static final Settings DEFAULT = new Settings(Mode.QUORUM, Policy.BLOCK, new Timers(50, 300, 500, 240));

    /** With the timers as one. */
    public Settings(Mode mode, Policy policy, Timers t) {
        this(mode, policy, SHRINK_AFTER_MILLIS, t);
    }

    /** With the timers as one. */
    public Settings(Mode mode, Policy policy, int shrinkAfterMillis, Timers t) {
        this(mode, policy, shrinkAfterMillis, t, 0, Tuning.of(t), MinorityReads.REPLICAS);
    }

    private Settings(
            Mode mode,
            Policy policy,
            int shrinkAfterMillis,
            Timers t,
            long pausedUntil,
            Tuning tuning,
            MinorityReads minorityReads) {
        this(
                mode,
                policy,
                shrinkAfterMillis,
                t.heartbeatMillis(),
                t.electionTimeoutMinMillis(),
                t.electionTimeoutMaxMillis(),
                t.leaseMillis(),
                pausedUntil,
                tuning,
                minorityReads);
    }

    public Settings {
        var _ = new Timers(heartbeatMillis, electionTimeoutMinMillis, electionTimeoutMaxMillis, leaseMillis);
        if (pausedUntilMillis < 0) {
            throw new IllegalArgumentException("maintenance cannot end before 1970");
        }
        if (shrinkAfterMillis < 0 || shrinkAfterMillis > SHRINK_AFTER_MAX_MILLIS) {
            throw new IllegalArgumentException("the time before the rule shrinks is %d ms and must be between 0 and %d"
                    .formatted(shrinkAfterMillis, SHRINK_AFTER_MAX_MILLIS));
        }
    }

    /** The same with another way to acknowledge. */
    public Settings withRule(Mode nextMode, Policy nextPolicy, int nextShrinkAfterMillis) {
        return new Settings(
                nextMode, nextPolicy, nextShrinkAfterMillis, timers(), pausedUntilMillis, tuning, minorityReads);
    }

    /** The same with maintenance until then. */
    public Settings withPausedUntil(long untilMillis) {
        return new Settings(mode, policy, shrinkAfterMillis, timers(), untilMillis, tuning, minorityReads);
    }

    /** The same with other timers. */
    public Settings withTimers(Timers next) {
        return new Settings(mode, policy, shrinkAfterMillis, next, pausedUntilMillis, tuning, minorityReads);
    }

    public Settings withTuning(Tuning next) {
        return new Settings(mode, policy, shrinkAfterMillis, timers(), pausedUntilMillis, next, minorityReads);
    }

    /** The same with others who serve reads without a leader. */
    public Settings withMinorityReads(MinorityReads next) {
        return new Settings(mode, policy, shrinkAfterMillis, timers(), pausedUntilMillis, tuning, next);
    }

    public boolean pausedAt(long wallMillis) {
        return pausedUntilMillis > wallMillis;
    }

    /** As they are at this moment: those that the cluster was formed with, or longer ones. */
    public Timers timers() {
        return new Timers(heartbeatMillis, electionTimeoutMinMillis, electionTimeoutMaxMillis, leaseMillis);
    }
}
