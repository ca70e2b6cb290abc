package io.quantadb.node.relay;

import io.quantadb.node.transport.PeerStreams.Incoming;
import io.quantadb.node.transport.PeerStreams.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * WAL streams that were asked for before their epoch is served here, which may be in a moment. A newer one of the same
 * member takes the place of its older one. Confined to the relay's loop.
 */
final class EarlyStreams {
    private static final int MAX = 16;
    /** Much longer than a promotion takes, and far below the time after which a verdict counts as missing. */
    private static final long WAIT_MS = 2_000;

    /** A stream that may be let in later. */
    record Early(Incoming incoming, StreamHeader header, Verdict verdict) {}

    private final RelayContext context;
    private final Consumer<Early> refuse;
    private final List<Early> waiting = new ArrayList<>();

    /** @param refuse tells one that it is not to be */
    EarlyStreams(RelayContext context, Consumer<Early> refuse) {
        this.context = context;
        this.refuse = refuse;
    }

    void await(Early asked) {
        waiting.stream()
                .filter(other -> other.incoming.peer().equals(asked.incoming.peer()))
                .toList()
                .forEach(this::refuse);
        waiting.add(asked);
        if (waiting.size() > MAX) {
            refuse(waiting.getFirst());
        }
        context.after(WAIT_MS, () -> refuse(asked));
    }

    /** What is served has changed: gives whoever waited for just this, and tells whoever waits for nothing. */
    void decide(long epoch, Consumer<Early> open) {
        for (Early asked : List.copyOf(waiting)) {
            if (asked.header.epoch() == epoch) {
                waiting.remove(asked);
                open.accept(asked);
            } else if (asked.header.epoch() < epoch) {
                refuse(asked);
            }
        }
    }

    void refuseAll() {
        List.copyOf(waiting).forEach(this::refuse);
    }

    private void refuse(Early asked) {
        if (waiting.remove(asked)) {
            refuse.accept(asked);
        }
    }
}
