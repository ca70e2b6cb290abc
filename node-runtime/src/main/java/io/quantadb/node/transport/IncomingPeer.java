package io.quantadb.node.transport;

import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.quantadb.node.common.NodeId;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A control connection that a peer dialled: TLS, its {@link Hello} compared with its certificate, ours in answer, then
 * its messages. Closed when the hello is not complete within the opening limit. Confined to the event loop.
 */
// A failed write or close ends in channelInactive, which is where it is dealt with.
@SuppressWarnings("FutureReturnValueIgnored")
final class IncomingPeer extends SimpleChannelInboundHandler<PeerFrame> {
    /** The network's side of it, on the event loop. */
    interface Listener {
        /** The hello was good; false refuses it (a policy, or closing). */
        Optional<String> objection(NodeId peer);

        void onOpen(IncomingPeer connection, Hello hello);

        void onFrame(NodeId peer, PeerFrame frame);

        void onClosed(IncomingPeer connection);
    }

    private final NetContext net;
    private final PeerFrameDecoder decoder;
    private final Listener listener;
    private @Nullable ChannelHandlerContext ctx;
    private @Nullable ScheduledFuture<?> deadline;
    private @Nullable NodeId certified;
    private @Nullable Hello hello;
    private boolean refused;

    IncomingPeer(NetContext net, PeerFrameDecoder decoder, Listener listener) {
        this.net = net;
        this.decoder = decoder;
        this.listener = listener;
    }

    @Nullable
    Hello hello() {
        return hello;
    }

    void close() {
        if (ctx != null) {
            ctx.close();
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        ctx = context;
        deadline = context.executor()
                .schedule(
                        () -> refuse(context, "it did not say who it is in time"),
                        net.config().limits().opening().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent done) {
            if (done.isSuccess()) {
                PeerIdentity.of(ctx.pipeline().get(SslHandler.class))
                        .ifPresentOrElse(
                                node -> certified = node,
                                () -> refuse(ctx, "the CN of its certificate is not a node id: issue it anew"));
            } else if (PeerIdentity.isRefusal(done.cause())) {
                refuse(ctx, PeerIdentity.words(done.cause()));
            }
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, PeerFrame frame) {
        if (refused || certified == null) {
            return;
        }
        if (hello != null) {
            listener.onFrame(certified, frame);
            return;
        }
        if (frame.kind() != PeerFrame.HELLO) {
            refuse(ctx, "it did not begin with a hello");
            return;
        }
        Hello said = Hello.decode(frame.payload());
        if (!said.node().equals(certified)) {
            refuse(
                    ctx,
                    "it says it is node '%s' and its certificate says '%s': give that node its own certificate"
                            .formatted(said.node(), certified));
            return;
        }
        Optional<String> objection = listener.objection(certified);
        if (objection.isPresent()) {
            answerRefused(ctx, objection.get());
            return;
        }
        hello = said;
        stopDeadline();
        decoder.helloDone();
        byte[] ours = net.hello().encode();
        ctx.writeAndFlush(PeerFrame.encode(PeerFrame.HELLO, ours));
        listener.onOpen(this, said);
    }

    private void answerRefused(ChannelHandlerContext ctx, String words) {
        if (!refused) {
            refused = true;
            net.refusals()
                    .warn(
                            "refused a connection on the Raft port",
                            host(ctx.channel().remoteAddress()),
                            words);
            ctx.writeAndFlush(PeerFrame.refused(words)).addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void refuse(ChannelHandlerContext ctx, String words) {
        if (!refused) {
            refused = true;
            net.refusals()
                    .warn(
                            "refused a connection on the Raft port",
                            host(ctx.channel().remoteAddress()),
                            words);
            ctx.close();
        }
    }

    /** Where the peer dialled from. */
    @Nullable
    InetAddress from() {
        return ctx != null && ctx.channel().remoteAddress() instanceof InetSocketAddress inet
                ? inet.getAddress()
                : null;
    }

    /** The address without its port, which differs at each dial. */
    static String host(@Nullable SocketAddress remote) {
        return remote instanceof InetSocketAddress inet ? inet.getAddress().getHostAddress() : "unknown";
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (PeerIdentity.isRefusal(cause)) {
            refuse(ctx, PeerIdentity.words(cause));
        }
        ctx.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        stopDeadline();
        listener.onClosed(this);
        ctx.fireChannelInactive();
    }

    private void stopDeadline() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }
}
