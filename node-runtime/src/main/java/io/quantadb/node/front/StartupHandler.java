package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Speaks with a client that is not trusted yet: TLS and GSS requests, then one start-up packet or cancel request.
 * <pre>
 * start ─ 0x16 ─► direct TLS (ALPN "postgresql") ─┐
 *   │ ─ SSLRequest ─► 'S', TLS ─┐                 │
 *   │              └► 'N' ──────┤                 │
 *   │ ─ GSSENCRequest ─► 'N' ───┤                 │
 *   └──────────────────────────►┴─ packet ◄───────┘ ─► Next (reads stay off from then on)
 * </pre>
 * Each request may come once, nothing may follow it before its answer (what follows could have been put there by
 * somebody else), and all of it must be done within the deadline. Confined to its channel's event loop; auto-read is
 * off, so nothing is read that was not asked for.
 */
// a write or close that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
final class StartupHandler extends ChannelInboundHandlerAdapter {
    static final String ALPN = "postgresql";
    private static final byte TLS_HANDSHAKE_RECORD = 0x16;

    /** Who goes on with the connection. */
    interface Next {
        /** {@code handler} keeps what the client sends meanwhile, see {@link #takeRest}. */
        void onStartup(StartupHandler handler, ChannelHandlerContext ctx, StartupPacket packet);

        /** Owns the packet. */
        void onCancel(ChannelHandlerContext ctx, ByteBuf packet);
    }

    private final @Nullable SslContext tls;
    private final boolean plainRefused;
    private final boolean negotiates;
    private final Duration deadline;
    private final Next next;

    private ByteBuf received = Unpooled.EMPTY_BUFFER;
    private boolean tlsActive;
    private boolean directTls;
    private boolean tlsAsked;
    private boolean gssAsked;
    private boolean done;
    private @Nullable ScheduledFuture<?> timeout;

    /**
     * @param tls null when TLS is off
     * @param plainRefused refuse a start-up packet that came without TLS
     * @param negotiates false for a peer stream, on which a start-up packet comes at once
     */
    StartupHandler(@Nullable SslContext tls, boolean plainRefused, boolean negotiates, Duration deadline, Next next) {
        this.tls = tls;
        this.plainRefused = plainRefused;
        this.negotiates = negotiates;
        this.deadline = deadline;
        this.next = next;
    }

    /** What the client sent behind its start-up packet; the caller owns it and takes over the reading. */
    ByteBuf takeRest() {
        ByteBuf rest = received;
        received = Unpooled.EMPTY_BUFFER;
        return rest;
    }

    boolean tlsActive() {
        return tlsActive;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        if (ctx.channel().isActive()) {
            begin(ctx);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        begin(ctx);
        ctx.fireChannelActive();
    }

    private void begin(ChannelHandlerContext ctx) {
        if (timeout == null) {
            // silently, as PostgreSQL does: who says nothing in time may not be a client at all
            timeout = ctx.executor().schedule(() -> ctx.close(), deadline.toNanos(), TimeUnit.NANOSECONDS);
            ctx.read();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (!received.isReadable()) {
            received.release();
            received = bytes;
        } else {
            ByteBuf joined = ctx.alloc().buffer(received.readableBytes() + bytes.readableBytes());
            joined.writeBytes(received).writeBytes(bytes);
            received.release();
            bytes.release();
            received = joined;
        }
        try {
            while (!done && step(ctx)) {
                // one request or packet after another
            }
        } catch (ProtocolViolation e) {
            refuse(ctx, Report.fatal(e.sqlState(), String.valueOf(e.getMessage()), null, null));
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (!done) {
            ctx.read();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake && handshake.isSuccess() && directTls) {
            SslHandler handler = ctx.pipeline().get(SslHandler.class);
            // without it a TLS server of another protocol could be mistaken for this one, and this one for another
            if (handler == null || !ALPN.equals(handler.applicationProtocol())) {
                refuse(ctx, Report.fatal("08P01", "direct TLS needs the ALPN protocol \"postgresql\"", null, null));
            }
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // a failed handshake or a reset socket; the peer knows
        ctx.close();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        stopTimeout();
        ReferenceCountUtil.safeRelease(takeRest());
    }

    /** Takes one request or packet; false when more bytes are needed or nothing is to follow. */
    private boolean step(ChannelHandlerContext ctx) {
        if (received.isReadable()
                && !tlsActive
                && !tlsAsked
                && !gssAsked
                && negotiates
                && received.getByte(received.readerIndex()) == TLS_HANDSHAKE_RECORD) {
            return startDirectTls(ctx);
        }
        if (received.readableBytes() < 4) {
            return false;
        }
        int length = received.getInt(received.readerIndex());
        if (length < StartupPacket.LENGTH_MIN || length > StartupPacket.LENGTH_MAX) {
            throw new ProtocolViolation("08P01", "invalid length of startup packet");
        }
        if (received.readableBytes() < length) {
            return false;
        }
        int code = received.getInt(received.readerIndex() + 4);
        switch (code) {
            case StartupPacket.SSL_REQUEST -> answerTlsRequest(ctx, length);
            case StartupPacket.GSSENC_REQUEST -> answerGssRequest(ctx, length);
            case StartupPacket.CANCEL_REQUEST -> {
                finish();
                ByteBuf packet = received.readRetainedSlice(length);
                takeRest().release();
                next.onCancel(ctx, packet);
            }
            default -> startUp(ctx, length);
        }
        return !done;
    }

    private void startUp(ChannelHandlerContext ctx, int length) {
        StartupPacket packet = StartupPacket.parse(received.slice(received.readerIndex(), length));
        received.skipBytes(length);
        if (!received.isReadable()) {
            takeRest().release();
        }
        if (plainRefused && !tlsActive) {
            refuse(
                    ctx,
                    Report.fatal(
                            "28000",
                            "this server accepts connections with TLS only",
                            null,
                            "Connect with sslmode=require or stronger."));
            return;
        }
        finish();
        next.onStartup(this, ctx, packet);
    }

    private boolean startDirectTls(ChannelHandlerContext ctx) {
        if (tls == null) {
            finish();
            ctx.close();
            return false;
        }
        directTls = true;
        ByteBuf hello = takeRest();
        addTls(ctx, tls);
        ctx.pipeline().fireChannelRead(hello);
        ctx.pipeline().fireChannelReadComplete();
        return false;
    }

    private void answerTlsRequest(ChannelHandlerContext ctx, int length) {
        requireRequest(length, tlsAsked || tlsActive);
        tlsAsked = true;
        ctx.writeAndFlush(ctx.alloc().buffer(1).writeByte(tls == null ? 'N' : 'S'));
        if (tls != null) {
            addTls(ctx, tls);
        }
    }

    private void answerGssRequest(ChannelHandlerContext ctx, int length) {
        requireRequest(length, gssAsked || tlsActive);
        gssAsked = true;
        ctx.writeAndFlush(ctx.alloc().buffer(1).writeByte('N'));
    }

    private void requireRequest(int length, boolean again) {
        if (length != StartupPacket.LENGTH_MIN || again || !negotiates) {
            throw new ProtocolViolation("08P01", "unexpected encryption request");
        }
        if (received.readableBytes() > length) {
            throw new ProtocolViolation("08P01", "received unencrypted data after an encryption request");
        }
        received.skipBytes(length);
    }

    private void addTls(ChannelHandlerContext ctx, SslContext context) {
        tlsActive = true;
        SslHandler handler = context.newHandler(ctx.alloc());
        handler.setHandshakeTimeoutMillis(deadline.toMillis());
        ctx.pipeline().addFirst(handler);
    }

    private void refuse(ChannelHandlerContext ctx, Report report) {
        finish();
        ctx.writeAndFlush(report.encode(ctx.alloc())).addListener(ChannelFutureListener.CLOSE);
    }

    private void finish() {
        done = true;
        stopTimeout();
    }

    private void stopTimeout() {
        if (timeout != null) {
            timeout.cancel(false);
        }
    }
}
