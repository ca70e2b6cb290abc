package io.quantadb.node.chaos;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/**
 * One direction of one connection: takes what its source sends, keeps it for as long as its link wants, and passes it on
 * in order. Holds {@value #HELD_MAX} bytes and then stops reading, so that the sender feels back-pressure as from a full
 * path. Confined to the proxy's one event loop; owns the buffers that it holds.
 */
// A failed write or close ends in the connection's channelInactive, which is where it is dealt with.
@SuppressWarnings("FutureReturnValueIgnored")
final class Flow {
    static final int HELD_MAX = 1 << 20;

    /** Bytes on their way. */
    private static final class Piece {
        private final ByteBuf bytes;
        private long dueNanos;

        Piece(ByteBuf bytes, long dueNanos) {
            this.bytes = bytes;
            this.dueNanos = dueNanos;
        }
    }

    private final LinkState link;
    private final Deque<Piece> held = new ArrayDeque<>();
    private final Channel source;
    private Channel target;
    private ScheduledFuture<?> timer;
    private long heldBytes;
    private long lastDue;
    private boolean ended;
    private boolean over;

    Flow(LinkState link, Channel source) {
        this.link = link;
        this.source = source;
        this.lastDue = System.nanoTime();
    }

    long heldBytes() {
        return heldBytes;
    }

    /** From now on there is somewhere to pass it on to. */
    void leadsTo(Channel next) {
        target = next;
        pump();
    }

    /** Takes a piece over; false when the connection is to be reset instead. */
    boolean take(ByteBuf bytes) {
        if (over || link.drops()) {
            bytes.release();
            return over;
        }
        int count = bytes.readableBytes();
        held.add(new Piece(bytes, after(link.due(count))));
        heldBytes += count;
        if (heldBytes >= HELD_MAX) {
            source.config().setAutoRead(false);
        }
        pump();
        return true;
    }

    /** The source has closed: so does the target, after all that was sent, as far as the link lets that through. */
    void end() {
        ended = true;
        after(link.due(0));
        pump();
    }

    /** Never before what was sent earlier. */
    private long after(long due) {
        if (due - lastDue > 0) {
            lastDue = due;
        }
        return lastDue;
    }

    /** The link has changed: what is on its way takes no longer than what is sent now would. */
    void hasten(long latest) {
        for (Piece piece : held) {
            if (piece.dueNanos - latest > 0) {
                piece.dueNanos = latest;
            }
        }
        if (lastDue - latest > 0) {
            lastDue = latest;
        }
        pump();
    }

    /** Passes on what is due; called whenever that may have changed. */
    void pump() {
        if (target == null || over) {
            return;
        }
        boolean wrote = false;
        while (!link.isCut() && !held.isEmpty() && isDue(held.peek().dueNanos) && target.isWritable()) {
            ByteBuf bytes = held.remove().bytes;
            int count = bytes.readableBytes();
            heldBytes -= count;
            link.passed(count);
            target.write(bytes).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
            wrote = true;
        }
        if (wrote) {
            target.flush();
        }
        if (heldBytes < HELD_MAX && !source.config().isAutoRead()) {
            source.config().setAutoRead(true);
        }
        if (link.isCut()) {
            return;
        }
        if (held.isEmpty() && ended && isDue(lastDue)) {
            over = true;
            target.close();
        } else if (ended || !held.isEmpty()) {
            pumpAt(held.isEmpty() ? lastDue : held.peek().dueNanos);
        }
    }

    private static boolean isDue(long nanos) {
        return nanos - System.nanoTime() <= 0;
    }

    private void pumpAt(long nanos) {
        long wait = nanos - System.nanoTime();
        if (timer != null) {
            timer.cancel(false);
        }
        // What is due and was not passed on waits for the target to become writable.
        timer = wait <= 0 ? null : target.eventLoop().schedule(this::pump, wait, TimeUnit.NANOSECONDS);
    }

    /** Lets go of what it holds; nothing more passes. */
    void discard() {
        over = true;
        held.forEach(piece -> piece.bytes.release());
        held.clear();
        heldBytes = 0;
        if (timer != null) {
            timer.cancel(false);
        }
    }
}
