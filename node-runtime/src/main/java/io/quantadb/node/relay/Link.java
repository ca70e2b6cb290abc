package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;

/**
 * One channel as the relay sees it: everything that happens on it reaches its owner on the relay's loop, whichever
 * loop the channel lives on, in order, and nothing after it was closed.
 *
 * <p>Flushing: what was written goes out at the end of each batch ({@link Owner#onBatchEnd}), and within a batch as soon as
 * {@value #FLUSH_BYTES} bytes wait, so that a bulk stream's next hop works while this one reads on. A flush that fails ends
 * the link before {@link #write} returns, and its owner has heard it by then.
 *
 * <p>Back-pressure: a side whose peer is not writable is not read ({@link #read}); when the peer's buffer has drained
 * its owner hears {@link Owner#onWritable} and reads again. So at most {@code stream_buffer_size} and one read wait in
 * memory per direction.
 */
final class Link {
    /** All on the relay's loop. {@link #onClosed} comes once, and not when the owner closed the link itself. */
    interface Owner {
        /** Takes the bytes over. An exception closes the link with its message as the reason. */
        void onBytes(Link link, ByteBuf bytes);

        /** No more bytes at the moment: what was written should be flushed now. */
        void onBatchEnd(Link link);

        void onWritable(Link link);

        void onClosed(Link link, String reason);
    }

    /** About one full WAL message (128 KiB and headers). */
    private static final int FLUSH_BYTES = 128 << 10;

    private final Channel channel;
    private final EventLoop loop;
    private final Owner owner;
    private int unflushedBytes;
    private boolean closed;

    /** Puts itself on the channel, which must have auto-read off; call {@link #read} to begin. */
    Link(Channel channel, EventLoop loop, Owner owner) {
        this.channel = channel;
        this.loop = loop;
        this.owner = owner;
        channel.pipeline().addLast("relay", new Inbound());
        var _ = channel.closeFuture().addListener(future -> onLoop(() -> gone("the connection ended")));
    }

    ByteBufAllocator allocator() {
        return channel.alloc();
    }

    void write(ByteBuf bytes) {
        if (closed) {
            bytes.release();
            return;
        }
        unflushedBytes += bytes.readableBytes();
        var _ = channel.write(bytes);
        if (unflushedBytes >= FLUSH_BYTES) {
            flush();
        }
    }

    void flush() {
        unflushedBytes = 0;
        var _ = channel.flush();
    }

    boolean writable() {
        return channel.isWritable();
    }

    void read(boolean on) {
        channel.config().setAutoRead(on);
    }

    boolean isClosed() {
        return closed;
    }

    /** Closes without telling the owner. */
    void close() {
        closed = true;
        RelayContext.close(channel);
    }

    /** Completes when the channel is closed, after which nothing of it arrives. */
    ChannelFuture closing() {
        return channel.closeFuture();
    }

    /** Says a last word and closes without telling the owner. */
    void close(ByteBuf lastWord) {
        if (closed) {
            lastWord.release();
            return;
        }
        closed = true;
        var _ = channel.writeAndFlush(lastWord).addListener(ChannelFutureListener.CLOSE);
    }

    private void gone(String reason) {
        if (!closed) {
            closed = true;
            RelayContext.close(channel);
            owner.onClosed(this, reason);
        }
    }

    private void onLoop(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }

    private void deliver(ByteBuf bytes) {
        if (closed) {
            bytes.release();
            return;
        }
        try {
            owner.onBytes(this, bytes);
        } catch (RuntimeException e) {
            gone(reason(e));
        }
    }

    static String reason(@Nullable Throwable e) {
        if (e == null) {
            return "unknown";
        }
        Throwable cause =
                e instanceof java.util.concurrent.CompletionException && e.getCause() != null ? e.getCause() : e;
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    private final class Inbound extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            onLoop(() -> deliver(bytes));
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            onLoop(() -> {
                if (!closed) {
                    owner.onBatchEnd(Link.this);
                }
            });
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            if (ctx.channel().isWritable()) {
                onLoop(() -> {
                    if (!closed) {
                        owner.onWritable(Link.this);
                    }
                });
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            onLoop(() -> gone(reason(cause)));
        }
    }
}
