package io.quantadb.node.consensus;

import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.RaftConfig;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a node's consensus runs with.
 *
 * @param directory where log, hard state and snapshots live; made when missing
 * @param clusterIdHash messages of a cluster with another hash are dropped
 * @param inboxMax how many messages and tasks may wait for the core thread
 * @param flushInterval entries that come within this of a flush of the log are flushed together
 */
public record RaftNodeConfig(
        Path directory, PeerId self, long clusterIdHash, RaftConfig raft, int inboxMax, Duration flushInterval) {
    public static final int INBOX_DEFAULT = 8192;
    public static final Duration FLUSH_INTERVAL = Duration.ofMillis(5);

    public RaftNodeConfig(Path directory, PeerId self, long clusterIdHash, RaftConfig raft) {
        this(directory, self, clusterIdHash, raft, INBOX_DEFAULT);
    }

    public RaftNodeConfig(Path directory, PeerId self, long clusterIdHash, RaftConfig raft, int inboxMax) {
        this(directory, self, clusterIdHash, raft, inboxMax, FLUSH_INTERVAL);
    }

    /** The same with another group commit. */
    public RaftNodeConfig withFlushInterval(Duration interval) {
        return new RaftNodeConfig(directory, self, clusterIdHash, raft, inboxMax, interval);
    }

    public RaftNodeConfig {
        if (inboxMax < 16) {
            throw new IllegalArgumentException("raft.inboxMax=%d must be at least 16".formatted(inboxMax));
        }
    }
}
