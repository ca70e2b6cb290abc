/**
 * Measures failover from a client's place. {@link io.quantadb.node.bench.FailoverBench} starts a cluster of three through
 * the demo's machinery, an {@link io.quantadb.node.bench.OpenLoopWriter} inserts on schedule whatever happens, a
 * {@link io.quantadb.node.bench.Fault} strikes the primary, and a {@link io.quantadb.node.bench.HistoryChecker} compares
 * what was acknowledged with what is there afterwards.
 */
package io.quantadb.node.bench;
