package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a disk held when the node started. The entries follow one another without a gap; their first index is at most
 * one past the snapshot's, or 1 when there is none.
 */
public record RaftRestored(HardState hardState, @Nullable Snapshot snapshot, List<LogEntry> entries) {
    /** An empty disk: a stranger that waits to be added by a leader. */
    public static final RaftRestored EMPTY = new RaftRestored(HardState.NONE, null, List.of());

    public RaftRestored {
        entries = List.copyOf(entries);
    }

    /** What bootstrapping writes: a group of one, as the first entry of the log. */
    public static RaftRestored groupOfOne(PeerId self) {
        LogEntry first = new LogEntry(1, 1, EntryKind.MEMBERSHIP, MembershipCodec.encode(Membership.of(self)));
        return new RaftRestored(new HardState(1, null, false), null, List.of(first));
    }

    /** A group already formed, for simulations that start in the middle: the members as the first entry of the log. */
    public static RaftRestored groupOf(Membership members) {
        LogEntry first = new LogEntry(1, 1, EntryKind.MEMBERSHIP, MembershipCodec.encode(members));
        return new RaftRestored(new HardState(1, null, false), null, List.of(first));
    }
}
