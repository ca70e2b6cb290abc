package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The replicated state machine's value. Being filled in with the state machine. */
public record ClusterState(
        String clusterId,
        long systemIdentifier,
        long epoch,
        long version,
        @Nullable NodeId primary,
        int timeline,
        long releasedEpoch,
        @Nullable NodeId releasedPrimary,
        Rule rule,
        @Nullable Rule nextRule,
        int lastTimeline,
        List<String> history) {}
