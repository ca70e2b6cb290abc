package io.quantadb.node.config;

import io.quantadb.node.common.HostPort;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The replication channel.
 *
 * @param primaryAddress a member to join through: its replication port (the Raft port is not asked); null when peers do
 * @param streamBufferSize bytes of WAL kept in memory for one stream before its source is told to wait
 * @param batchSize WAL messages that go out together to a member for which no commit waits
 * @param flushInterval longest time that such a batch waits for more; where commits wait it goes at once
 * @param heartbeatInterval how often an idle stream is asked for a sign of life
 * @param heartbeatTimeout after how much silence a stream counts as broken
 * @param maxLagBytes how far a follower may be behind before it counts as lagging
 * @param maxLagTime the same in time
 * @param connectTimeout deadline of one attempt to connect
 * @param reconnectInterval longest pause between attempts
 * @param maxReconnectTries after how many attempts the state says that the upstream is not reached; dialling goes on
 * @param snapshotTimeout how long a base backup may make no progress
 * @param rejoinRate how much a second a copy of the primary's data may read; 0 for no limit. The bounds are those of
 *     MAX_RATE (PostgreSQL documentation, "Streaming Replication Protocol", BASE_BACKUP)
 * @param slowStandbyAfter how old the oldest WAL that a standby lacks becomes until it is called slow
 * @param commitMode which commits are acknowledged
 */
public record ReplicationConfig(
        @Nullable HostPort primaryAddress,
        DataSize streamBufferSize,
        int batchSize,
        Duration flushInterval,
        Duration heartbeatInterval,
        Duration heartbeatTimeout,
        DataSize maxLagBytes,
        Duration maxLagTime,
        Duration connectTimeout,
        Duration reconnectInterval,
        int maxReconnectTries,
        Duration snapshotTimeout,
        DataSize rejoinRate,
        Duration slowStandbyAfter,
        CommitMode commitMode) {
    private static final String AT = "cluster.replication.";

    public ReplicationConfig {
        Bounds.requireBetween(AT + "stream_buffer_size", streamBufferSize, DataSize.ofKib(64), DataSize.ofMib(1024));
        Bounds.requireBetween(AT + "batch_size", batchSize, 1, 100_000);
        Bounds.requireBetween(AT + "flush_interval", flushInterval, Duration.ofMillis(1), Duration.ofSeconds(10));
        Bounds.requireBetween(
                AT + "heartbeat_interval", heartbeatInterval, Duration.ofMillis(100), Duration.ofMinutes(5));
        Bounds.requireBetween(
                AT + "heartbeat_timeout", heartbeatTimeout, Duration.ofMillis(200), Duration.ofMinutes(30));
        Bounds.requireBetween(AT + "max_lag_bytes", maxLagBytes, DataSize.ofKib(16), new DataSize(1L << 50));
        Bounds.requireBetween(AT + "max_lag_time", maxLagTime, Duration.ofMillis(100), Duration.ofDays(7));
        Bounds.requireBetween(AT + "connect_timeout", connectTimeout, Duration.ofMillis(50), Duration.ofMinutes(10));
        Bounds.requireBetween(
                AT + "reconnect_interval", reconnectInterval, Duration.ofMillis(10), Duration.ofMinutes(10));
        Bounds.requireBetween(AT + "max_reconnect_tries", maxReconnectTries, 1, 1_000_000);
        Bounds.requireBetween(AT + "snapshot_timeout", snapshotTimeout, Duration.ofSeconds(1), Duration.ofHours(1));
        requireRate(rejoinRate);
        Bounds.requireBetween(AT + "slow_standby_after", slowStandbyAfter, Duration.ofMillis(100), Duration.ofDays(1));
        if (heartbeatTimeout.compareTo(heartbeatInterval) <= 0) {
            throw new IllegalArgumentException(
                    "cluster.replication.heartbeat_timeout=%s must be longer than cluster.replication.heartbeat_interval=%s"
                            .formatted(Durations.format(heartbeatTimeout), Durations.format(heartbeatInterval)));
        }
    }

    private static void requireRate(DataSize rate) {
        DataSize least = DataSize.ofKib(32);
        DataSize most = DataSize.ofMib(1024);
        if (rate.bytes() != 0 && (rate.compareTo(least) < 0 || rate.compareTo(most) > 0)) {
            throw new IllegalArgumentException("%s=%s must be 0 for no limit, or from %s to %s a second"
                    .formatted(AT + "rejoin_rate", rate, least, most));
        }
    }
}
