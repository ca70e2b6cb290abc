package io.quantadb.operator.nodeapi;

import java.io.IOException;

/**
 * What one cluster's nodes can be asked. Every call blocks until its deadline at most and fails with an
 * {@link IOException} whose message says why the node could not be asked.
 */
public interface NodeApi {
    StatusAnswer status(NodeAddress node) throws IOException;

    NodesAnswer nodes(NodeAddress node) throws IOException;

    /** Gives the node the permission to found the cluster with this uid; idempotent by it. */
    FoundingAnswer found(NodeAddress node, String uid) throws IOException;
}
