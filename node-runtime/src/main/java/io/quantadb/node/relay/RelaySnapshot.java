package io.quantadb.node.relay;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the relay was doing a moment ago (at most a quarter of a second), for the cluster API.
 *
 * @param following what this standby follows; null when nothing
 * @param members streams served, one per member
 * @param voice the voice's state
 * @param servedEpoch members' streams of this epoch are accepted; 0 none
 * @param frozenBelow nothing of an epoch below this is relayed any more
 * @param backups the base backups that members drew from this node's server
 * @param copies who draws one now, and who waits for a turn
 */
public record RelaySnapshot(
        @Nullable Following following,
        List<Member> members,
        VoiceState voice,
        long servedEpoch,
        long frozenBelow,
        Backups backups,
        List<Copy> copies) {
    public static final RelaySnapshot EMPTY = new RelaySnapshot(
            null, List.of(), new VoiceState(false, false, Lsn.NONE, Lsn.NONE, Lsn.NONE), 0, 0, Backups.NONE, List.of());

    public RelaySnapshot {
        members = List.copyOf(members);
        copies = List.copyOf(copies);
    }

    /**
     * A member that is being copied from this node, or wants to be.
     *
     * @param begun it has its turn
     * @param words what it does, as said of it: {@code is being copied, since 34 s}
     */
    public record Copy(NodeId member, boolean begun, String words) {}

    /**
     * Base backups since the agent started, in numbers.
     *
     * @param asked for, refused ones included, but for those who are to wait for their turn
     * @param begun by the server
     * @param complete to the last byte
     * @param failed refused, or ended before that
     */
    public record Backups(long asked, long begun, long complete, long failed) {
        static final Backups NONE = new Backups(0, 0, 0, 0);
    }

    /**
     * This standby's own stream.
     *
     * @param failedDials those since it last streamed
     * @param unreached as many as {@code max_reconnect_tries}, and more
     * @param bytesPerSecond about the last two seconds
     * @param errors how often the stream from this upstream broke off since the agent started
     */
    public record Following(
            NodeId upstream,
            long epoch,
            boolean receiverConnected,
            boolean streaming,
            int timeline,
            Lsn delivered,
            Lsn flushed,
            Lsn applied,
            long bytes,
            long batches,
            long failedDials,
            boolean unreached,
            long bytesPerSecond,
            long errors) {}

    /**
     * One member's stream.
     *
     * @param lagBytes from what the server had flushed when it last sent to what the member has flushed; -1 before it
     *     has told any
     * @param roundTripNanos from passing WAL on to the status that says it is written, and mostly flushed too; -1 not
     *     measured yet
     * @param lastMessageNanos when the member last said anything, on the monotonic clock
     * @param lagNanos how old the oldest WAL is that it has not flushed; 0 when it has all
     * @param bytesPerSecond about the last two seconds
     * @param errors how often a stream of this member broke off since the agent started
     */
    public record Member(
            MemberRef member,
            long epoch,
            boolean streaming,
            Lsn delivered,
            Lsn flushed,
            Lsn applied,
            long lagBytes,
            long bytes,
            long batches,
            long roundTripNanos,
            long lastMessageNanos,
            long lagNanos,
            long bytesPerSecond,
            long errors) {}

    /** {@code ownFlush} is what the server has certainly flushed, as far as the voice knows. */
    public record VoiceState(boolean open, boolean reading, Lsn reported, Lsn applied, Lsn ownFlush) {}
}
