package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;

/** One step of the membership; only one may be under way at a time (thesis §4.1). */
public sealed interface MembershipChange {
    PeerId peer();

    /** A new incarnation begins to receive the log. */
    record AddLearner(PeerId peer) implements MembershipChange {}

    /** A learner that has caught up begins to vote and to be counted. */
    record PromoteToVoter(PeerId peer) implements MembershipChange {}

    /** A voter votes no more, and goes on receiving the log. */
    record DemoteToLearner(PeerId peer) implements MembershipChange {}

    /** A voter or learner leaves; this incarnation never comes back. */
    record Remove(PeerId peer) implements MembershipChange {}
}
