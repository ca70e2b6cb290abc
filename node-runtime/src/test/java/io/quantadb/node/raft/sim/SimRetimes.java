package io.quantadb.node.raft.sim;

import io.quantadb.node.raft.RaftConfig;

/**
 * Timers that become longer and shorter while the nodes run. Every node hears of a change at a time of its own, so that
 * at most moments some run with others than the rest.
 *
 * @param everyMs how often they change, on average; 0 for never
 * @param lateMs how much later than others a node may hear of it
 * @param forgetsAtOnce the bug of a node that writes shorter timers to its disk while longer promises still hold
 */
record SimRetimes(int everyMs, int lateMs, boolean forgetsAtOnce) {
    static final SimRetimes NONE = new SimRetimes(0, 0, false);
    static final SimRetimes OFTEN = new SimRetimes(200, 800, false);

    /** So many times as long. */
    static RaftConfig times(RaftConfig c, int factor) {
        return RaftConfig.of(
                        c.electionMin().multipliedBy(factor),
                        c.electionMax().multipliedBy(factor),
                        c.heartbeat(),
                        c.lease().multipliedBy(factor))
                .withLog(c.maxLogEntries(), c.keepEntries());
    }
}
