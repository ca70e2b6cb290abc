package io.quantadb.node.raft;

import java.time.Duration;

/**
 * The timing and the bounds of one Raft group. Members should agree on the timers, and take others while they run; leases
 * are safe though some are late with that, see {@link RaftRules#lent}.
 *
 * @param electionMin a follower that has heard no leader for this long may campaign, and may vote
 * @param electionMax the last of the staggered candidates begins by then; also how long a leader may go without a
 *     majority before it steps down, and how long a transfer may take
 * @param heartbeat how often a leader shows itself
 * @param lease how long after the send of a heartbeat that a majority acknowledged the leader may still act alone;
 *     shorter than electionMin by a margin for the drift of clocks
 * @param tick how often {@link RaftCore#tick} is called; a longer pause does not count against the leader
 * @param maxUncommitted proposals accepted and not yet committed; more are answered with Busy
 * @param maxInflight appends sent to one member and not yet answered
 * @param maxAppendBytes commands in one append; a single larger command travels alone
 * @param maxCommandBytes the largest command
 * @param maxLogEntries entries after which the caller should take a snapshot
 * @param keepEntries entries kept before a snapshot for members that are a little behind
 */
public record RaftConfig(
        Duration electionMin,
        Duration electionMax,
        Duration heartbeat,
        Duration lease,
        Duration tick,
        int maxUncommitted,
        int maxInflight,
        int maxAppendBytes,
        int maxCommandBytes,
        int maxLogEntries,
        int keepEntries) {

    /** Seed 003's defaults for the log, the design's for the timers. */
    public static final RaftConfig DEFAULT = of(Duration.ofMillis(300), Duration.ofMillis(500), Duration.ofMillis(50));

    public RaftConfig {
        if (heartbeat.isNegative()
                || heartbeat.isZero()
                || heartbeat.multipliedBy(3).compareTo(electionMin) > 0) {
            throw new IllegalArgumentException(
                    "raft.heartbeat=%s must be above zero and at most a third of raft.electionMin=%s"
                            .formatted(heartbeat, electionMin));
        }
        if (electionMax.compareTo(electionMin) <= 0) {
            throw new IllegalArgumentException(
                    "raft.electionMax=%s must be longer than raft.electionMin=%s".formatted(electionMax, electionMin));
        }
        if (lease.isNegative() || lease.multipliedBy(10).compareTo(electionMin.multipliedBy(9)) > 0) {
            throw new IllegalArgumentException(
                    "raft.lease=%s must be at most nine tenths of raft.electionMin=%s".formatted(lease, electionMin));
        }
        if (tick.isNegative() || tick.isZero() || tick.compareTo(heartbeat) > 0) {
            throw new IllegalArgumentException(
                    "raft.tick=%s must be above zero and at most raft.heartbeat=%s".formatted(tick, heartbeat));
        }
        if (maxUncommitted < 1 || maxInflight < 1 || maxLogEntries < 1 || keepEntries < 0) {
            throw new IllegalArgumentException(
                    "raft.maxUncommitted=%d, maxInflight=%d, maxLogEntries=%d must be at least 1, keepEntries=%d at least 0"
                            .formatted(maxUncommitted, maxInflight, maxLogEntries, keepEntries));
        }
        if (maxCommandBytes < 1 || maxCommandBytes > 512 * 1024 || maxAppendBytes < 1 || maxAppendBytes > 512 * 1024) {
            throw new IllegalArgumentException(
                    "raft.maxCommandBytes=%d and maxAppendBytes=%d must be between 1 and 524288"
                            .formatted(maxCommandBytes, maxAppendBytes));
        }
    }

    /** Everything else at its default; the lease is 0.8 of {@code electionMin}. */
    public static RaftConfig of(Duration electionMin, Duration electionMax, Duration heartbeat) {
        return of(
                electionMin, electionMax, heartbeat, electionMin.multipliedBy(8).dividedBy(10));
    }

    /** Everything else at its default. */
    public static RaftConfig of(Duration electionMin, Duration electionMax, Duration heartbeat, Duration lease) {
        return new RaftConfig(
                electionMin,
                electionMax,
                heartbeat,
                lease,
                heartbeat.dividedBy(5),
                1024,
                16,
                256 * 1024,
                256 * 1024,
                1000,
                100);
    }

    /** The same with another size of the log. */
    public RaftConfig withLog(int newMaxLogEntries, int newKeepEntries) {
        return new RaftConfig(
                electionMin,
                electionMax,
                heartbeat,
                lease,
                tick,
                maxUncommitted,
                maxInflight,
                maxAppendBytes,
                maxCommandBytes,
                newMaxLogEntries,
                newKeepEntries);
    }

    /** The same with the election timeouts and the lease of that one. */
    public RaftConfig withTimers(RaftConfig other) {
        return new RaftConfig(
                other.electionMin,
                other.electionMax,
                heartbeat,
                other.lease,
                tick,
                maxUncommitted,
                maxInflight,
                maxAppendBytes,
                maxCommandBytes,
                maxLogEntries,
                keepEntries);
    }

    long electionMinNanos() {
        return electionMin.toNanos();
    }

    long electionMaxNanos() {
        return electionMax.toNanos();
    }

    long heartbeatNanos() {
        return heartbeat.toNanos();
    }

    long leaseNanos() {
        return lease.toNanos();
    }

    long tickNanos() {
        return tick.toNanos();
    }
}
