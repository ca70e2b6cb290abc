/**
 * Faults on real agents with real PostgreSQL: three JVMs of the program as it is shipped, struck by signals, cut networks
 * and emptied disks, while {@link io.quantadb.node.bench.OpenLoopWriter} writes through them and
 * {@link io.quantadb.node.bench.HistoryChecker} compares what was acknowledged with what is there afterwards. A class
 * forms one cluster ({@link io.quantadb.node.process.TestingThree}) and runs its scenarios on it one after another; each
 * begins and ends with all members healthy and alike.
 */
package io.quantadb.node.process;
