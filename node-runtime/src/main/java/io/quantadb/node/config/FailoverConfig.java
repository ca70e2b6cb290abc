package io.quantadb.node.config;

import java.time.Duration;

/**
 * When the cluster moves its primary by itself.
 *
 * @param diskTimeout how long this node's disk may leave a flush unanswered before the node counts as unhealthy
 * @param postgresTimeout how long this node's PostgreSQL may leave a question unanswered before a primary counts as unhealthy
 * @param moveDelay how long a second move away from a living primary waits, for the same cause; zero for not at all
 * @param acrossRegions whether a failover may choose a node of another region than the primary's
 */
public record FailoverConfig(
        Duration diskTimeout, Duration postgresTimeout, Duration moveDelay, boolean acrossRegions) {
    public FailoverConfig {
        Bounds.requireBetween(
                "cluster.failover.disk_timeout", diskTimeout, Duration.ofSeconds(1), Duration.ofMinutes(10));
        Bounds.requireBetween(
                "cluster.failover.postgres_timeout", postgresTimeout, Duration.ofSeconds(1), Duration.ofMinutes(10));
        Bounds.requireBetween("cluster.failover.move_delay", moveDelay, Duration.ZERO, Duration.ofMinutes(5));
    }
}
