/**
 * Chaos: a real cluster behind a proxy that makes its network bad, struck at random and audited.
 *
 * <p>{@link io.quantadb.node.chaos.ChaosMain} (make chaos) takes one seed. Each round draws a
 * {@link io.quantadb.node.chaos.Schedule} from it, out of the kinds in {@link io.quantadb.node.chaos.Strikes}; carries it out
 * on a {@link io.quantadb.node.chaos.ChaosCluster} while writers write; heals everything; waits until all members have
 * converged; and compares what was acknowledged with what every node has. {@link io.quantadb.node.chaos.FaultProxy} stands
 * in all connections between nodes, one direction of one pair at a time: {@link io.quantadb.node.chaos.LinkPlan} tells how
 * they come to lead through it.
 */
package io.quantadb.node.chaos;
