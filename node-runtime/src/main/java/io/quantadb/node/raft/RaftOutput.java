package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the core wants done, in the order of these components: hand the writes to the disk, send the messages (each
 * already waits for what it depends on, so nothing here waits for {@code writes}), restore the state machine when a
 * snapshot came, apply what was committed, then tell whom it concerns.
 *
 * @param restore the state machine is replaced by this snapshot before {@code committed} is applied; null mostly
 * @param committed each index exactly once and in order, since the start or the last {@code restore}
 * @param lost proposals of this node whose fate is unknown because it leads no more; they may yet be committed
 * @param regressed members whose log is shorter than what they had acknowledged: not counted until removed
 * @param changed whether role, term, leader, commit index, membership, lease or fitness differ from the last drain
 */
public record RaftOutput(
        List<DiskWrite> writes,
        List<Outbound> messages,
        @Nullable Snapshot restore,
        List<LogEntry> committed,
        List<ReadReady> reads,
        List<Lost> lost,
        List<PeerId> regressed,
        boolean changed) {

    /** The state machine may answer this read once it has applied {@code index}; negative: ask the leader of now. */
    public record ReadReady(long requestId, long index) {
        public boolean refused() {
            return index < 0;
        }
    }

    public record Lost(long index, long term) {}

    public boolean isEmpty() {
        return writes.isEmpty()
                && messages.isEmpty()
                && restore == null
                && committed.isEmpty()
                && reads.isEmpty()
                && lost.isEmpty()
                && regressed.isEmpty()
                && !changed;
    }
}
