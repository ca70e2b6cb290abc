package io.quantadb.node.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ByteChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A peer stream as a blocking byte channel, for code that reads straight on (a clone). One thread reads, one writes;
 * closing from any thread ends both. The stream is read only while little is waiting: a reader that stops reading stops
 * the sender within the two sockets' buffers and {@value #ENOUGH_BYTES} bytes here.
 */
final class StreamBytes implements ByteChannel {
    private static final int ENOUGH_BYTES = 1 << 20;
    private static final int WRITE_SECONDS = 60;

    private final Channel channel;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Deque<ByteBuf> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private boolean ended;

    /** Takes the channel over; it comes with auto-read off. */
    StreamBytes(Channel channel) {
        this.channel = channel;
        channel.eventLoop().execute(() -> {
            channel.pipeline().addLast(new Inbound());
            if (!channel.isActive()) {
                end();
            }
            channel.config().setAutoRead(true);
        });
    }

    private final class Inbound extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            lock.lock();
            try {
                if (ended || !bytes.isReadable()) {
                    bytes.release();
                    return;
                }
                waiting.addLast(bytes);
                waitingBytes += bytes.readableBytes();
                if (waitingBytes >= ENOUGH_BYTES) {
                    channel.config().setAutoRead(false);
                }
                arrived.signalAll();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            end();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            end();
            var _ = ctx.close();
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        lock.lock();
        try {
            while (waiting.isEmpty()) {
                if (ended) {
                    return -1;
                }
                arrived.awaitUninterruptibly();
            }
            ByteBuf first = waiting.getFirst();
            int count = Math.min(into.remaining(), first.readableBytes());
            int limit = into.limit();
            into.limit(into.position() + count);
            first.readBytes(into);
            into.limit(limit);
            waitingBytes -= count;
            if (!first.isReadable()) {
                waiting.removeFirst();
                first.release();
            }
            if (waitingBytes < ENOUGH_BYTES / 2 && !channel.config().isAutoRead()) {
                channel.config().setAutoRead(true);
            }
            return count;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        int count = from.remaining();
        byte[] copy = new byte[count];
        from.get(copy);
        var written = channel.writeAndFlush(Unpooled.wrappedBuffer(copy));
        if (!written.awaitUninterruptibly(WRITE_SECONDS, TimeUnit.SECONDS) || !written.isSuccess()) {
            close();
            throw new AsynchronousCloseException();
        }
        return count;
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void close() {
        end();
        var _ = channel.close();
    }

    private void end() {
        lock.lock();
        try {
            ended = true;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
