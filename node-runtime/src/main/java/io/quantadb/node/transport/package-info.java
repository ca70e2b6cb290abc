/** mTLS channels between nodes: small control messages on the Raft port, streams on the replication port; framing, peer identity, dialling by name. */
@NullMarked
package io.quantadb.node.transport;

import org.jspecify.annotations.NullMarked;
