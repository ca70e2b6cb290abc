package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;

/**
 * One connection of the local WAL receiver, whose start-up the agent answers itself: the socket's directory lets
 * nobody else in, and no upstream need be there yet.
 *
 * <p>After start-up ({@link StartupAnswer}) whole frames go to the {@link Owner}.
 *
 * <p>Confined to the relay's loop.
 */
final class ReceiverSession implements Link.Owner {
    interface Owner {
        /** Start-up is over; the receiver may ask now. */
        void onReceiver(ReceiverSession session);

        /** Owns the frame. */
        void onReceiverFrame(ReceiverSession session, byte tag, ByteBuf frame);

        void onReceiverBatchEnd(ReceiverSession session);

        void onReceiverWritable(ReceiverSession session);

        void onReceiverClosed(ReceiverSession session, String reason);
    }

    private final Owner owner;
    private final Link link;
    private final FrameCutter cutter;
    private final StartupAnswer startup;
    private boolean ready;

    ReceiverSession(RelayContext context, Channel channel, Owner owner) {
        this.owner = owner;
        this.cutter = new FrameCutter(channel.alloc());
        this.link = new Link(channel, context.loop(), this);
        this.startup = new StartupAnswer(link, context.config().serverVersion());
    }

    void begin() {
        link.read(true);
    }

    Link link() {
        return link;
    }

    boolean ready() {
        return ready && !link.isClosed();
    }

    /** Ends the connection with words for the server's log. */
    void cut(String sqlState, String words) {
        release();
        link.close(WalMessages.error(link.allocator(), sqlState, words));
    }

    void close() {
        release();
        link.close();
    }

    @Override
    public void onBytes(Link from, ByteBuf bytes) {
        ByteBuf frames = bytes;
        if (!ready) {
            ByteBuf rest = startup.feed(bytes);
            if (rest == null) {
                return;
            }
            frames = rest;
            ready = true;
            owner.onReceiver(this);
        }
        cutter.feed(frames, (tag, frame) -> owner.onReceiverFrame(this, tag, frame));
    }

    @Override
    public void onBatchEnd(Link from) {
        owner.onReceiverBatchEnd(this);
    }

    @Override
    public void onWritable(Link from) {
        owner.onReceiverWritable(this);
    }

    @Override
    public void onClosed(Link from, String reason) {
        release();
        owner.onReceiverClosed(this, reason);
    }

    private void release() {
        cutter.release();
        startup.release();
    }
}
