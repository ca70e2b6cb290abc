package io.quantadb.node.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerIdentity.Refusal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One dial of a {@link PeerLink} and the connection that comes of it: resolve, connect, TLS, compare the certificate's
 * CN with whom we meant, send our {@link Hello}, wait for theirs. The answer matters: in TLS 1.3 the dialler's
 * handshake is over before the other side has judged its certificate. Ends within {@value #DEADLINE_MS} ms. Confined
 * to the event loop.
 */
// A failed write or close ends in channelInactive, which is where it is dealt with.
@SuppressWarnings("FutureReturnValueIgnored")
final class PeerDial extends SimpleChannelInboundHandler<PeerFrame> {
    static final int DEADLINE_MS = 3000;
    private static final int CONNECT_MS = 1000;

    private final NetContext net;
    private final EventLoop loop;
    private final NodeId peer;
    private final HostPort address;
    private final int turn;
    private final @Nullable InetAddress hint;
    private final PeerLink link;
    private final PeerFrameDecoder decoder = new PeerFrameDecoder();

    private @Nullable ScheduledFuture<?> deadline;
    private @Nullable Channel channel;
    private @Nullable Throwable why;
    private long process;
    private boolean up;
    private boolean over;

    /**
     * @param turn which of the name's addresses to take
     * @param hint an address to take instead: where the peer has just dialled from
     */
    PeerDial(
            NetContext net,
            EventLoop loop,
            NodeId peer,
            HostPort address,
            int turn,
            @Nullable InetAddress hint,
            PeerLink link) {
        this.net = net;
        this.loop = loop;
        this.peer = peer;
        this.address = address;
        this.turn = turn;
        this.hint = hint;
        this.link = link;
    }

    /** Whether it went to where the peer's own connection came from, instead of to the peer's address. */
    boolean guessed() {
        return hint != null;
    }

    /** Which process answered; meaningful once up. */
    long process() {
        return process;
    }

    void start() {
        deadline = loop.schedule(
                () -> fail(
                        new ConnectTimeoutException("%s did not answer within %d ms".formatted(address, DEADLINE_MS))),
                DEADLINE_MS,
                TimeUnit.MILLISECONDS);
        if (hint != null) {
            connect(List.of(hint));
            return;
        }
        net.resolver()
                .resolve(address.host())
                .whenComplete((found, cause) -> loop.execute(() -> {
                    if (cause != null) {
                        fail(cause);
                    } else {
                        connect(found);
                    }
                }));
    }

    private void connect(List<InetAddress> found) {
        if (over) {
            return;
        }
        var target = new InetSocketAddress(found.get(Math.floorMod(turn, found.size())), address.port());
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .channel(net.sockets().channel())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel ch) {
                        SslHandler tls = net.tls().peerClient().newHandler(ch.alloc(), net.helper());
                        tls.setHandshakeTimeoutMillis(DEADLINE_MS);
                        ch.pipeline().addLast(tls, decoder, PeerDial.this);
                    }
                });
        net.sockets().asControl(bootstrap);
        var connecting = bootstrap.connect(target);
        channel = connecting.channel();
        connecting.addListener((ChannelFutureListener) done -> {
            if (!done.isSuccess()) {
                fail(done.cause());
            }
        });
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent done) {
            if (done.isSuccess()) {
                greet(ctx);
            } else {
                fail(done.cause());
            }
        }
        ctx.fireUserEventTriggered(event);
    }

    private void greet(ChannelHandlerContext ctx) {
        Optional<NodeId> found = PeerIdentity.of(ctx.pipeline().get(SslHandler.class));
        if (found.isEmpty() || !found.get().equals(peer)) {
            fail(new Refusal(wrongNode(address, peer, found)));
            return;
        }
        byte[] hello = net.hello().encode();
        ctx.writeAndFlush(PeerFrame.encode(PeerFrame.HELLO, hello));
    }

    static String wrongNode(HostPort address, NodeId meant, Optional<NodeId> found) {
        return "dialled node '%s' at %s and reached %s: correct the address, or the certificate of that node"
                .formatted(
                        meant,
                        address,
                        found.map(n -> "node '" + n + "'").orElse("somebody whose certificate names no node"));
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, PeerFrame frame) {
        if (up || over) {
            return; // The acceptor has nothing to say here after its hello; a later version may.
        }
        switch (frame.kind()) {
            case PeerFrame.HELLO -> {
                Hello hello = Hello.decode(frame.payload());
                if (!hello.node().equals(peer)) {
                    fail(new Refusal(wrongNode(address, peer, Optional.of(hello.node()))));
                    return;
                }
                up = true;
                process = hello.process();
                stopDeadline();
                link.onUp(this, ctx.channel());
            }
            case PeerFrame.REFUSED ->
                fail(new Refusal("it refused: " + new String(frame.payload(), StandardCharsets.UTF_8)));
            default -> fail(new Refusal("it answered the hello with a frame of kind " + frame.kind()));
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (why == null) {
            why = cause;
        }
        ctx.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (up) {
            if (!over) {
                over = true;
                link.onLost(this, why);
            }
        } else {
            fail(why == null ? new ClosedChannelException() : why);
        }
        ctx.fireChannelInactive();
    }

    private void fail(Throwable cause) {
        if (over) {
            return;
        }
        end();
        link.onFailed(this, cause);
    }

    /** Closes without telling the link. */
    void abandon() {
        if (!over) {
            end();
        }
    }

    private void end() {
        over = true;
        stopDeadline();
        if (channel != null) {
            channel.close();
        }
    }

    private void stopDeadline() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }
}
