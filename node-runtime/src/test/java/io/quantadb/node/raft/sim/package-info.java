/** A whole Raft group of production cores on one thread, with a network, disks and clocks that fail by a seed. */
package io.quantadb.node.raft.sim;
