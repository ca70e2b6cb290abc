package io.quantadb.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.jspecify.annotations.Nullable;

/**
 * The opening of a stream, on either side, and the safe hand-over of its channel afterwards.
 *
 * <pre>
 * OPENING   collects bytes until {@link #parse} has taken the opening; auto-read on
 * HOLDING   auto-read off; bytes that had come with the opening are kept, events are kept back
 * HANDED    the owner has the channel; its first read lets the kept bytes go and removes this handler
 * </pre>
 *
 * <p>So no byte is lost or reordered however late the owner puts its handlers in place, and none reaches a pipeline
 * without handlers. What is kept is bounded by one read of the socket, or the socket's receive buffer when the peer
 * closes. Confined to its channel's event loop; releases what it keeps.
 */
abstract class OpeningHandler extends ChannelDuplexHandler {
    private enum State {
        OPENING,
        HOLDING,
        HANDED,
        RELEASING
    }

    private State state = State.OPENING;
    private @Nullable ByteBuf kept;
    private boolean inactive;

    /** The handshake has ended well. */
    abstract void onTls(ChannelHandlerContext ctx, SslHandler tls);

    /** Takes the opening from the bytes so far; true when it was complete and taken, then it is called no more. */
    abstract boolean parse(ChannelHandlerContext ctx, ByteBuf in);

    /** The opening has been taken, auto-read is off. */
    abstract void onParsed(ChannelHandlerContext ctx);

    /** Something failed, or the channel closed, before the hand-over. */
    abstract void onFailure(ChannelHandlerContext ctx, @Nullable Throwable cause);

    /** From here on the owner decides when bytes flow. */
    final void handOver() {
        state = State.HANDED;
    }

    /** The stream is refused: what still comes is thrown away. */
    final void discard() {
        release();
    }

    /** Bytes kept for the owner; for tests. */
    final int keptBytes() {
        return kept == null ? 0 : kept.readableBytes();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (state == State.RELEASING) {
            ctx.fireChannelRead(message);
            return;
        }
        ByteBuf in = (ByteBuf) message;
        kept = kept == null ? in : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), kept, in);
        if (state == State.OPENING && parse(ctx, kept)) {
            state = State.HOLDING;
            ctx.channel().config().setAutoRead(false);
            if (!kept.isReadable()) {
                release();
            }
            onParsed(ctx);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (state == State.RELEASING) {
            ctx.fireChannelReadComplete();
        }
    }

    @Override
    public void read(ChannelHandlerContext ctx) {
        if (state != State.HANDED) {
            ctx.read();
            return;
        }
        boolean had = letGo(ctx);
        // With auto-read nobody else would ask for more; without it one read has been answered from what was kept.
        if (!had || ctx.channel().config().isAutoRead()) {
            ctx.read();
        }
        if (inactive) {
            ctx.fireChannelInactive();
        }
        remove(ctx);
    }

    private boolean letGo(ChannelHandlerContext ctx) {
        state = State.RELEASING;
        ByteBuf bytes = kept;
        kept = null;
        if (bytes == null) {
            return false;
        }
        ctx.fireChannelRead(bytes);
        ctx.fireChannelReadComplete();
        return true;
    }

    private void remove(ChannelHandlerContext ctx) {
        if (!ctx.isRemoved()) {
            ctx.pipeline().remove(this);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent done && state == State.OPENING) {
            if (done.isSuccess()) {
                onTls(ctx, ctx.pipeline().get(SslHandler.class));
            } else {
                onFailure(ctx, done.cause());
            }
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (state == State.OPENING || state == State.HOLDING) {
            onFailure(ctx, cause);
        } else {
            ctx.fireExceptionCaught(cause);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        inactive = true;
        if (state == State.OPENING || state == State.HOLDING) {
            onFailure(ctx, null);
            return;
        }
        // An owner that has its handlers in place gets the last bytes even if it never asked for them.
        letGo(ctx);
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        release();
    }

    private void release() {
        if (kept != null) {
            kept.release();
            kept = null;
        }
    }

    static void closeQuietly(Channel channel) {
        channel.close().addListener(done -> {});
    }
}
