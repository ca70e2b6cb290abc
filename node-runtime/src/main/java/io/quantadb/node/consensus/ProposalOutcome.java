package io.quantadb.node.consensus;

import io.quantadb.node.common.PeerId;
import org.jspecify.annotations.Nullable;

/** What became of a proposal; told once, on the core thread. */
public sealed interface ProposalOutcome {
    /** Committed and applied on this node. */
    record Committed(long index) implements ProposalOutcome {}

    /** Nothing was done here. */
    record NotLeader(@Nullable PeerId leader) implements ProposalOutcome {}

    /** Unknown: this node leads no more and the command may yet be committed; the state tells. */
    record Lost() implements ProposalOutcome {}

    /** Nothing was done; a bounded queue is full or something else is under way; try again later. */
    record Busy(String reason) implements ProposalOutcome {}

    /** Nothing was done and the same would be refused again. */
    record Refused(String reason) implements ProposalOutcome {}
}
