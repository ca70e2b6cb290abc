package io.quantadb.node.consensus;

/** What the log is about. Called on the core thread only; must not wait for anything. */
public interface StateMachine {
    /** Applies one committed command; each index once and in order since the start or the last {@link #restore}. */
    void apply(long index, long term, byte[] command);

    /** The state after the last applied command; at most {@code Snapshot.STATE_BYTES_MAX} bytes. */
    byte[] snapshot();

    /** Replaces the state by that after {@code index}. */
    void restore(long index, byte[] state);
}
