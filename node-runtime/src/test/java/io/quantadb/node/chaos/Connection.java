package io.quantadb.node.chaos;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.util.function.Consumer;

/**
 * One connection through the proxy. The dialler's side stands at once; the other side is dialled when both links let a
 * connection come about. Confined to the proxy's one event loop.
 */
// A failed write or close ends in channelInactive, which is where it is dealt with.
@SuppressWarnings("FutureReturnValueIgnored")
final class Connection {
    private static final int CONNECT_MS = 1000;

    private final Route route;
    private final LinkState there;
    private final LinkState back;
    private final SocketChannel dialler;
    private final Consumer<Connection> onClose;
    private final Flow request;
    private SocketChannel acceptor;
    private Flow answer;
    private boolean dialled;
    private boolean closed;

    Connection(Route route, LinkState there, LinkState back, SocketChannel dialler, Consumer<Connection> onClose) {
        this.route = route;
        this.there = there;
        this.back = back;
        this.dialler = dialler;
        this.onClose = onClose;
        this.request = new Flow(there, dialler);
        there.join(this);
        back.join(this);
        dialler.pipeline().addLast(new Side(true));
        dialWhenPossible();
    }

    /** A link of it has changed: nothing on it is due later than this instant. */
    void onChange(LinkState link, long latest) {
        if (closed) {
            return;
        }
        if (link == there) {
            request.hasten(latest);
        } else if (answer != null) {
            answer.hasten(latest);
        }
        dialWhenPossible();
    }

    private void dialWhenPossible() {
        if (!closed && !dialled && !there.isCut() && !back.isCut()) {
            dial();
        }
    }

    private void dial() {
        dialled = true;
        new Bootstrap()
                .group(dialler.eventLoop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
                .handler(new Side(false))
                .connect(route.target(), route.source())
                .addListener((ChannelFutureListener) done -> {
                    if (closed) {
                        abort((SocketChannel) done.channel());
                    } else if (done.isSuccess()) {
                        acceptor = (SocketChannel) done.channel();
                        answer = new Flow(back, acceptor);
                        answer.leadsTo(dialler);
                        request.leadsTo(acceptor);
                    } else {
                        reset();
                    }
                });
    }

    long heldBytes() {
        return request.heldBytes() + (answer == null ? 0 : answer.heldBytes());
    }

    /** Ends it on both sides as a router does that has forgotten it. */
    void reset() {
        // First, or the end of one side would be passed on to the other in good order.
        finish();
        abort(dialler);
        if (acceptor != null) {
            abort(acceptor);
        }
    }

    private static void abort(SocketChannel channel) {
        if (channel.isOpen()) {
            channel.config().setSoLinger(0);
            channel.close();
        }
    }

    private void finish() {
        if (!closed) {
            closed = true;
            request.discard();
            if (answer != null) {
                answer.discard();
            }
            there.leave(this);
            back.leave(this);
            onClose.accept(this);
        }
    }

    private boolean bothGone() {
        return !dialler.isOpen() && (acceptor == null ? !dialled : !acceptor.isOpen());
    }

    /** What one side's socket tells. */
    private final class Side extends ChannelInboundHandlerAdapter {
        private final boolean ofDialler;

        Side(boolean ofDialler) {
            this.ofDialler = ofDialler;
        }

        private Flow own() {
            return ofDialler ? request : answer;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (closed || !own().take((ByteBuf) message)) {
                if (closed) {
                    ((ByteBuf) message).release();
                } else {
                    reset();
                }
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            Flow towards = ofDialler ? answer : request;
            if (!closed && towards != null) {
                towards.pump();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (closed) {
                return;
            }
            if (bothGone()) {
                finish();
            } else {
                own().end();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            // A reset by one side: the other hears of it when the link lets it through.
            ctx.close();
        }
    }
}
