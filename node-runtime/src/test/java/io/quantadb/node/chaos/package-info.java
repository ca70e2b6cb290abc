/**
 * {@link io.quantadb.node.chaos.FaultProxy} stands in connections between nodes, and makes one direction of one pair at a
 * time late, narrow, lossy or dead.
 */
package io.quantadb.node.chaos;
