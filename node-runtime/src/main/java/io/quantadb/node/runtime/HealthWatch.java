package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.RaftStatus;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says once when a member falls silent and once when it is heard again. For people; it decides nothing. Core thread. */
final class HealthWatch {
    private static final Logger LOGGER = LoggerFactory.getLogger(HealthWatch.class);

    private final NodeId self;
    private final Heard heard;
    private final Set<NodeId> silent = new HashSet<>();

    HealthWatch(NodeId self, Heard heard) {
        this.self = self;
        this.heard = heard;
    }

    void look(Collection<NodeId> members, @Nullable RaftStatus raft, long nowNanos) {
        for (NodeId node : members) {
            long millis = node.equals(self) ? 0 : heard.silentMillis(node, nowNanos);
            if (!Heard.expected(node, raft)) {
                silent.remove(node);
            } else if (millis >= 0 && !heard.lately(millis) && silent.add(node)) {
                LOGGER.atWarn()
                        .addMarker(CLUSTER)
                        .addKeyValue("silent_ms", millis)
                        .log("Health check failed for node {}", node);
            } else if (heard.lately(millis) && silent.remove(node)) {
                LOGGER.atInfo().addMarker(CLUSTER).log("Health check passed for node {}", node);
            }
        }
        silent.retainAll(members);
    }
}
