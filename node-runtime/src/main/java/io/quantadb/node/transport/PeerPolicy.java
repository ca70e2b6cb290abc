package io.quantadb.node.transport;

import io.quantadb.node.common.NodeId;

/**
 * Who may connect, of those whose certificate is of this cluster: the coordinator narrows it to the members it knows.
 * Asked on event loops; must answer at once and never block.
 */
@FunctionalInterface
public interface PeerPolicy {
    /** Whoever the cluster's CA vouches for: right for a node that does not know the members yet. */
    PeerPolicy ALL = node -> true;

    boolean allows(NodeId node);
}
