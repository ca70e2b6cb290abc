package io.quantadb.node.raft;

/**
 * The state machine after the entry at {@code index}, which stands for the log up to there.
 *
 * @param membership the membership in force at {@code index}
 */
public record Snapshot(long index, long term, Membership membership, byte[] state) {
    /** One message carries it whole, so this bounds the replicated state; the cluster state is a few kilobytes. */
    public static final int STATE_BYTES_MAX = 960 * 1024;

    public Snapshot {
        if (state.length > STATE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a snapshot of %d bytes is larger than the bound of %d".formatted(state.length, STATE_BYTES_MAX));
        }
    }

    @Override
    public String toString() {
        return "Snapshot[%d@%d, %d bytes]".formatted(index, term, state.length);
    }
}
