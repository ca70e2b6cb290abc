package io.quantadb.node.config;

import java.time.Duration;

/**
 * Timers and limits of the consensus group.
 *
 * @param electionTimeout shortest silence of a leader after which a follower asks for votes
 * @param electionTimeoutMax longest such silence; followers are spread between the two by rank
 * @param electionTimeoutLimit how far the cluster raises the shortest one by itself
 * @param heartbeatInterval how often a leader speaks
 * @param flushInterval within this of a flush of the log, entries wait and are flushed together
 * @param resyncThreshold how many entries a member may be behind before it is sent a snapshot instead
 * @param maxLogEntries entries after which a snapshot is taken and the log cut
 */
public record RaftConfig(
        Duration electionTimeout,
        Duration electionTimeoutMax,
        Duration electionTimeoutLimit,
        Duration heartbeatInterval,
        Duration flushInterval,
        int resyncThreshold,
        int maxLogEntries) {
    public RaftConfig {
        Bounds.requireBetween(
                "cluster.raft.election_timeout", electionTimeout, Duration.ofMillis(50), Duration.ofMinutes(1));
        Bounds.requireBetween(
                "cluster.raft.election_timeout_max", electionTimeoutMax, Duration.ofMillis(50), Duration.ofMinutes(5));
        Bounds.requireBetween(
                "cluster.raft.election_timeout_limit", electionTimeoutLimit, electionTimeout, Duration.ofMinutes(1));
        Bounds.requireBetween(
                "cluster.raft.heartbeat_interval", heartbeatInterval, Duration.ofMillis(5), Duration.ofSeconds(20));
        Bounds.requireBetween("cluster.raft.flush_interval", flushInterval, Duration.ZERO, Duration.ofMillis(50));
        Bounds.requireBetween("cluster.raft.resync_threshold", resyncThreshold, 0, 1_000_000);
        Bounds.requireBetween("cluster.raft.max_log_entries", maxLogEntries, 10, 10_000_000);
        // Fewer than three heartbeats in an election timeout turn one lost packet into an election.
        if (heartbeatInterval.multipliedBy(3).compareTo(electionTimeout) > 0) {
            throw new IllegalArgumentException(
                    "cluster.raft.heartbeat_interval=%s must be at most a third of cluster.raft.election_timeout=%s"
                            .formatted(Durations.format(heartbeatInterval), Durations.format(electionTimeout)));
        }
        if (electionTimeoutMax.compareTo(electionTimeout) <= 0) {
            throw new IllegalArgumentException(
                    "cluster.raft.election_timeout_max=%s must be longer than cluster.raft.election_timeout=%s"
                            .formatted(Durations.format(electionTimeoutMax), Durations.format(electionTimeout)));
        }
    }
}
