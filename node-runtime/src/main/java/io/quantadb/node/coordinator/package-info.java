/**
 * The shell around the decision core. Observations of this node (PostgreSQL, relay, front, disk) and messages of other
 * nodes become {@link io.quantadb.node.cluster.Event}s, handed to the one thread that also drives Raft; the core answers
 * with {@link io.quantadb.node.cluster.Action}s, which {@link io.quantadb.node.coordinator.Coordinator} carries out:
 * proposals and messages at once, disk writes on the store's thread, everything that waits for PostgreSQL one after
 * another on a virtual thread of {@link io.quantadb.node.coordinator.EngineQueue}. Nothing is decided here.
 */
@NullMarked
package io.quantadb.node.coordinator;

import org.jspecify.annotations.NullMarked;
