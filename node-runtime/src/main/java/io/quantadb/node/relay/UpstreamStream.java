package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.relay.WalMessages.Status;
import io.quantadb.node.transport.PeerStreams;
import java.time.Duration;

/** The {@link Follower}'s open stream to its upstream: frames, positions, signs of life. Confined to the relay's loop. */
final class UpstreamStream {
    final Link link;
    final ReplicationTracker tracker;

    /** START_REPLICATION was issued by the agent for a held receiver, and its answer has not come. */
    boolean resuming;

    private final RelayContext context;
    private final FrameCutter cutter;
    private long heardNanos;
    private boolean heartbeatAsked;

    /** Begins to read when {@link #begin} is called. */
    UpstreamStream(RelayContext context, PeerStreams.Opened opened, Lsn vouched, Link.Owner owner) {
        this.context = context;
        int bufferBytes = context.config().streamBufferBytes();
        opened.channel().config().setWriteBufferWaterMark(UnixSockets.waterMark(bufferBytes));
        opened.channel().config().setRecvByteBufAllocator(UnixSockets.receiveBuffers());
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

    /** Says where the receiver is, in its place. */
    void sendStatus(Status reported, boolean replyWanted) {
        Status capped = reported.cappedAt(tracker.cap());
        ByteBuf status = WalMessages.status(
                link.allocator(), new Status(capped.written(), capped.flushed(), capped.applied(), replyWanted));
        tracker.onClientCopyData(status);
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
