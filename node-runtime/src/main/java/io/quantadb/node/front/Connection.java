package io.quantadb.node.front;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;

/**
 * A client that has told what it wants and has no server yet: its packet, how it came, and until when it may wait.
 * {@link #busy} and {@link #nextAttemptNanos} belong to the client channel's event loop.
 */
// a write or close that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
final class Connection {
    private final Channel client;
    private final ChannelHandlerContext ctx;
    private final StartupHandler handler;
    private final StartupPacket packet;
    private final Router.Origin origin;
    private final String clientAddress;
    private final long untilNanos;

    /** A dial is under way. */
    boolean busy;

    /** When to try again by itself; a new view tries at once. */
    long nextAttemptNanos;

    Connection(
            ChannelHandlerContext ctx,
            StartupHandler handler,
            StartupPacket packet,
            Router.Origin origin,
            String clientAddress,
            long untilNanos) {
        this.client = ctx.channel();
        this.ctx = ctx;
        this.handler = handler;
        this.packet = packet;
        this.origin = origin;
        this.clientAddress = clientAddress;
        this.untilNanos = untilNanos;
    }

    Channel client() {
        return client;
    }

    StartupHandler handler() {
        return handler;
    }

    StartupPacket packet() {
        return packet;
    }

    Router.Origin origin() {
        return origin;
    }

    String clientAddress() {
        return clientAddress;
    }

    boolean mayWait(long nowNanos) {
        return nowNanos - untilNanos < 0;
    }

    void refuse(Report report) {
        ctx.writeAndFlush(report.encode(ctx.alloc())).addListener(ChannelFutureListener.CLOSE);
    }
}
