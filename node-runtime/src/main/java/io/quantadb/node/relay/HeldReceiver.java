package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.relay.ReplicationTracker.Phase;
import io.quantadb.node.relay.WalMessages.Status;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The local WAL receiver's connection as the {@link Follower} holds it: where the receiver stands, what it was
 * delivered and what it reported, whatever becomes of the upstream. Confined to the relay's loop.
 */
final class HeldReceiver {
    private static final long KEEPALIVE_NANOS = TimeUnit.SECONDS.toNanos(5);

    final ReceiverSession session;
    private final RelayContext context;

    /** As the receiver sees it. */
    Phase phase = Phase.IDLE;

    StartCommand start = new StartCommand("", Lsn.NONE, 0);
    Lsn delivered = Lsn.NONE;

    /** How far {@link #delivered} is vouched for by the stream that delivered it. */
    Lsn vouched = Lsn.NONE;

    Status reported = Status.NONE;

    /** The timeline was ended towards the receiver alone: what it says until its CopyDone has no counterpart upstream. */
    boolean endingAlone;

    private @Nullable ByteBuf asked;
    private long askedNanos;
    private long keptAliveNanos;

    HeldReceiver(RelayContext context, ReceiverSession session) {
        this.context = context;
        this.session = session;
    }

    /** The query that no upstream has begun to answer, or null. */
    @Nullable
    ByteBuf asked() {
        return asked;
    }

    /** Takes the query over. */
    void ask(ByteBuf query) {
        answered();
        asked = query;
        askedNanos = context.nanos();
        WalMessages.require(phase == Phase.IDLE, "a query while the receiver is in " + phase);
        phase = Phase.ASKED;
    }

    void answered() {
        if (asked != null) {
            asked.release();
            asked = null;
        }
    }

    /** Whether it can wait for another upstream: no answer is half given. */
    boolean canWait() {
        return phase == Phase.COPY || phase == Phase.IDLE || asked != null;
    }

    boolean waitedLongerThan(long nanos) {
        return phase == Phase.ASKED && context.nanos() - askedNanos > nanos;
    }

    /** Whether it has said that everything given to it is flushed. */
    boolean flushedAll() {
        return phase == Phase.IDLE || phase == Phase.ASKED || reported.flushed().atLeast(delivered);
    }

    void keepAlive(boolean replyWanted) {
        keptAliveNanos = context.nanos();
        Link link = session.link();
        link.write(WalMessages.keepalive(link.allocator(), delivered, replyWanted));
        link.flush();
    }

    void keepAliveWhenDue() {
        if (phase == Phase.COPY && context.nanos() - keptAliveNanos >= KEEPALIVE_NANOS) {
            keepAlive(false);
        }
    }

    /** Tells the receiver that its timeline has ended; the server's account of the next one follows. */
    void endTimeline() {
        phase = Phase.ENDING;
        endingAlone = true;
        Link link = session.link();
        link.write(link.allocator().buffer(5).writeByte(WalMessages.COPY_DONE).writeInt(4));
    }
}
