package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.relay.WalMessages.Status;
import io.quantadb.node.transport.PeerStreams;
import java.time.Duration;

/**
 * The {@link Follower}'s open stream to its upstream: frames, positions, signs of life.
 *
 * <p>A WAL receiver says twice how far it is: when it has written what came, and when that is flushed. Only what is flushed
 * satisfies a rule, so the first waits for the second, or for {@value #WRITTEN_HOLD_MS} ms, and a commit costs one message
 * back instead of two. What is flushed, what is replayed and nothing else, and what asks for a reply pass at once.
 *
 * <p>Confined to the relay's loop.
 */
final class UpstreamStream {
    /** How late the upstream may learn that WAL is written and not flushed, and with it what is replayed. */
    private static final long WRITTEN_HOLD_MS = 10;

    final Link link;
    final ReplicationTracker tracker;

    /** START_REPLICATION was issued by the agent for a held receiver, and its answer has not come. */
    boolean resuming;

    private final RelayContext context;
    private final FrameCutter cutter;
    private long heardNanos;
    private boolean heartbeatAsked;

    /** What the upstream was told last, and whether a timer will tell it what it was not. */
    private Status told = Status.NONE;

    private boolean tellsLater;

    /** Begins to read when {@link #begin} is called. */
    UpstreamStream(RelayContext context, PeerStreams.Opened opened, Lsn vouched, Link.Owner owner) {
        this.context = context;
        int bufferBytes = context.config().streamBufferBytes();
        opened.channel().config().setWriteBufferWaterMark(UnixSockets.waterMark(bufferBytes));
        this.link = new Link(opened.channel(), context.loop(), owner);
        this.cutter = new FrameCutter(link.allocator());
        this.tracker = new ReplicationTracker(vouched);
        this.heardNanos = context.nanos();
    }

    void begin() {
        link.read(true);
    }

    void feed(ByteBuf data, FrameCutter.Sink sink) {
        heardNanos = context.nanos();
        heartbeatAsked = false;
        cutter.feed(data, sink);
    }

    /** Passes the receiver's query on, which stays the caller's. */
    void ask(ByteBuf query) {
        tracker.onQuery(WalMessages.queryText(query));
        link.write(query.retainedDuplicate());
        link.flush();
    }

    void resume(StartCommand command) {
        resuming = true;
        tracker.onQuery(command.text());
        link.write(WalMessages.query(link.allocator(), command.text()));
        link.flush();
    }

    boolean streaming() {
        return !resuming && tracker.streaming();
    }

    /**
     * Takes a status of the receiver, which stays the caller's, and cuts it down to what this stream delivered. Whether
     * it is to be passed on now.
     */
    boolean takeStatus(ByteBuf frame) {
        Status before = tracker.status();
        tracker.onClientCopyData(frame);
        Status now = tracker.status();
        WalMessages.rewrite(frame, now);
        if (now.comesBeforeAFlush(before)) {
            tellLater();
            return false;
        }
        told = now;
        return true;
    }

    private void tellLater() {
        if (tellsLater) {
            return;
        }
        tellsLater = true;
        context.after(WRITTEN_HOLD_MS, () -> {
            tellsLater = false;
            Status last = tracker.status();
            // Nothing to say when the receiver has said nothing since a new start.
            if (streaming() && !last.written().isNone() && !last.equals(told)) {
                told = last;
                link.write(WalMessages.status(link.allocator(), last));
                link.flush();
            }
        });
    }

    /** Says where the receiver is, in its place. */
    void sendStatus(Status reported, boolean replyWanted) {
        Status capped = reported.cappedAt(tracker.cap());
        ByteBuf status = WalMessages.status(
                link.allocator(), new Status(capped.written(), capped.flushed(), capped.applied(), replyWanted));
        tracker.onClientCopyData(status);
        told = tracker.status();
        link.write(status);
        link.flush();
    }

    boolean silentFor(Duration time) {
        return context.nanos() - heardNanos > time.toNanos();
    }

    void askForSignOfLife(Status reported) {
        if (!heartbeatAsked && streaming()) {
            heartbeatAsked = true;
            sendStatus(reported, true);
        }
    }

    void close() {
        cutter.release();
        link.close();
    }

    void release() {
        cutter.release();
    }
}
