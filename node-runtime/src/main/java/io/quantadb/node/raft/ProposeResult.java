package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import org.jspecify.annotations.Nullable;

/** What became of a proposal at once; whether it is committed shows in a later {@link RaftOutput}. */
public sealed interface ProposeResult {
    /** Appended at this place; a transfer that was begun has index 0. */
    record Accepted(long index, long term) implements ProposeResult {}

    /** Nothing was done; the leader is the one to ask, when known. */
    record NotLeader(@Nullable PeerId leader) implements ProposeResult {}

    /** Nothing was done; a queue is full or something else is under way; try again later. */
    record Busy(String reason) implements ProposeResult {}

    /** Nothing was done and the same would be refused again. */
    record Refused(String reason) implements ProposeResult {}
}
