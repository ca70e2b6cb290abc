package io.quantadb.node.relay;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Dials the upstream of a {@link Follower}: at once when asked, with back-off after failures, one dial at a time, and
 * never telling of a dial that was cancelled meanwhile. Confined to the relay's loop.
 */
final class UpstreamDialer {
    /** On the relay's loop. */
    interface Owner {
        /** Owns the channel; {@code vouched} is the position that its header named. */
        void onDialled(PeerStreams.Opened opened, Lsn vouched);

        void onDialFailed(String reason);

        /** The pause after a failure is over. */
        void onDialDue();
    }

    private final RelayContext context;
    private final PeerStreams streams;
    private final Owner owner;
    private final Backoff backoff;
    private int attempt;
    private boolean busy;
    private boolean notYet;

    UpstreamDialer(RelayContext context, PeerStreams streams, Owner owner) {
        this.context = context;
        this.streams = streams;
        this.owner = owner;
        this.backoff = new Backoff(
                context.config().reconnectInterval().toMillis(),
                context.config().maxReconnectTries());
    }

    boolean busy() {
        return busy;
    }

    void dial(NodeId upstream, HostPort address, StreamHeader header) {
        busy = true;
        int mine = ++attempt;
        var _ = streams.open(
                        address,
                        upstream,
                        StreamKind.WAL,
                        header.encode(),
                        context.config().connectTimeout())
                .whenComplete((opened, failure) -> context.loop()
                        .execute(() -> onOutcome(mine, header.checked().lsn(), opened, failure)));
    }

    private void onOutcome(int mine, Lsn vouched, PeerStreams.@Nullable Opened opened, @Nullable Throwable failure) {
        if (mine != attempt) {
            if (opened != null) {
                RelayContext.close(opened.channel());
            }
        } else if (opened == null) {
            busy = false;
            // An upstream that is being promoted, or has not heard of the epoch yet, refuses until it serves it.
            notYet = refusedForNow(failure);
            owner.onDialFailed(Link.reason(failure));
        } else {
            busy = false;
            owner.onDialled(opened, vouched);
        }
    }

    void later() {
        int mine = ++attempt;
        context.after(notYet ? backoff.notYet() : backoff.failed(), () -> {
            if (mine == attempt) {
                owner.onDialDue();
            }
        });
    }

    private static boolean refusedForNow(@Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof PeerStreams.StreamRefused refused
                && (refused.code().equals("wrong_epoch") || refused.code().equals("not_ready"));
    }

    void cancel() {
        attempt++;
        busy = false;
    }

    void succeeded() {
        backoff.reset();
    }

    long failures() {
        return backoff.failures();
    }
}
