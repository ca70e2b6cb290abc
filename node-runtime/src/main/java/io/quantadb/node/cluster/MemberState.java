package io.quantadb.node.cluster;

/** How far a member has come in; S, the set that acknowledges, is said by the rule alone. */
public enum MemberState {
    /** Known, a Raft learner or about to be one; its data is being copied or catches up. */
    LEARNER,
    /** Its log and WAL are up to date; it waits to be made a voter. A read replica stays here. */
    CAUGHT_UP,
    /** Votes in Raft. */
    VOTER,
    /**
     * On its way out by an operator's word: no candidate, enters no rule, leaves Raft once no rule names it, then the
     * state. Never taken back; the same node may come in again as another incarnation.
     */
    LEAVING
}
