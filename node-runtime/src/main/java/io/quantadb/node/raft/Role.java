package io.quantadb.node.raft;

/**
 * What a member is in its current term. Learners are followers that never campaign.
 * <pre>
 * FOLLOWER --timer--> PRE_CANDIDATE --majority would vote--> CANDIDATE --majority voted--> LEADER
 *     ^-- a leader is heard, or a higher term is seen ----------'------------------------------'
 * </pre>
 */
public enum Role {
    FOLLOWER,
    /** Asks whether a majority would vote for it; its term is untouched (thesis §9.6). */
    PRE_CANDIDATE,
    CANDIDATE,
    LEADER
}
