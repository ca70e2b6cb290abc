package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Hands the events of one of a session's two channels to it, over to its loop when the channel has another. */
// a write or close that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
final class LegHandler extends ChannelInboundHandlerAdapter {
    private final Session session;
    private final boolean server;

    LegHandler(Session session, boolean server) {
        this.session = session;
        this.server = server;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        session.run(() -> session.onBytes(server, bytes), bytes);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        session.run(() -> session.onReadComplete(server), null);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        session.run(() -> session.onWritable(server), null);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        session.run(() -> session.onClosed(server), null);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // a reset socket, or TLS broken by the peer: the close that follows tells the session
        ctx.close();
    }
}
