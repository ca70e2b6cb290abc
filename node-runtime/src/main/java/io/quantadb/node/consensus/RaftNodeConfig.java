package io.quantadb.node.consensus;

import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.RaftConfig;
import java.nio.file.Path;

/**
 * What a node's consensus runs with.
 *
 * @param directory where log, hard state and snapshots live; made when missing
 * @param clusterIdHash messages of a cluster with another hash are dropped
 * @param inboxMax how many messages and tasks may wait for the core thread
 */
public record RaftNodeConfig(Path directory, PeerId self, long clusterIdHash, RaftConfig raft, int inboxMax) {
    public static final int INBOX_DEFAULT = 8192;

    public RaftNodeConfig(Path directory, PeerId self, long clusterIdHash, RaftConfig raft) {
        this(directory, self, clusterIdHash, raft, INBOX_DEFAULT);
    }

    public RaftNodeConfig {
        if (inboxMax < 16) {
            throw new IllegalArgumentException("raft.inboxMax=%d must be at least 16".formatted(inboxMax));
        }
    }
}
