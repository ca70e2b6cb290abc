package io.quantadb.node.transport;

import static io.quantadb.node.common.LogKeys.PEER;
import static io.quantadb.node.common.LogKeys.REASON;
import static io.quantadb.node.common.LogKeys.REPLICATION;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandler;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams.Acceptor;
import io.quantadb.node.transport.PeerStreams.Incoming;
import io.quantadb.node.transport.PeerStreams.Verdict;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stream that a peer dials: identity, limits, opening, the acceptor's verdict, hand-over. Two deadlines: the opening
 * must be whole within one, the verdict there within the other. Confined to its channel's event loop; the verdict may
 * come from any thread.
 */
// A failed write or close ends in channelInactive, which is where it is dealt with.
@SuppressWarnings("FutureReturnValueIgnored")
final class IncomingStream extends OpeningHandler {
    /** The port's side of it. */
    interface Host {
        @Nullable
        Acceptor acceptor(StreamKind kind);

        boolean allows(NodeId peer);

        /** Takes one place of the peer's and of all; given back when the channel closes. */
        boolean takePlace(NodeId peer, Channel channel);

        /** The opening is over, one way or the other; called once. */
        void onOpeningOver();
    }

    private static final Logger LOGGER = LoggerFactory.getLogger(IncomingStream.class);

    /** A refused dialler gets this long to read why before the connection goes. */
    private static final Duration LINGER = Duration.ofSeconds(1);

    private final NetContext net;
    private final Host host;
    private @Nullable ScheduledFuture<?> deadline;
    private @Nullable NodeId peer;
    private StreamWire.@Nullable Opening opening;
    private boolean decided;
    private boolean over;

    IncomingStream(NetContext net, Host host) {
        this.net = net;
        this.host = host;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        Duration limit = net.config().limits().opening();
        after(ctx, limit, () -> drop(ctx, "it did not open a stream within %d ms".formatted(limit.toMillis())));
    }

    @Override
    void onTls(ChannelHandlerContext ctx, SslHandler tls) {
        Optional<NodeId> who = PeerIdentity.of(tls);
        if (who.isEmpty()) {
            drop(ctx, "the CN of its certificate is not a node id: issue it anew");
            return;
        }
        peer = who.get();
    }

    @Override
    boolean parse(ChannelHandlerContext ctx, ByteBuf in) {
        if (decided) {
            in.skipBytes(in.readableBytes());
            return false;
        }
        if (peer == null) {
            return false;
        }
        try {
            Optional<StreamWire.Opening> taken = StreamWire.takeOpening(in);
            taken.ifPresent(o -> opening = o);
            return taken.isPresent();
        } catch (StreamWire.Malformed e) {
            in.skipBytes(in.readableBytes());
            drop(ctx, String.valueOf(e.getMessage()));
            return false;
        }
    }

    @Override
    void onParsed(ChannelHandlerContext ctx) {
        NodeId from = peer;
        StreamWire.Opening asked = opening;
        if (from == null || asked == null) {
            throw new IllegalStateException("parsed without a peer or an opening");
        }
        if (!host.allows(from)) {
            refuse(ctx, "not_a_member", "node '%s' is not a member of this cluster: add it first".formatted(from));
            return;
        }
        if (asked.version() != StreamWire.VERSION) {
            refuse(
                    ctx,
                    "version",
                    "stream version %d is not known here, only %d: use the same release"
                            .formatted(asked.version(), StreamWire.VERSION));
            return;
        }
        StreamKind kind = StreamKind.byCode(asked.kind()).orElse(null);
        Acceptor acceptor = kind == null ? null : host.acceptor(kind);
        if (kind == null || acceptor == null) {
            refuse(
                    ctx,
                    "not_served",
                    "node '%s' does not serve streams of kind %s"
                            .formatted(net.self(), kind == null ? Byte.toString(asked.kind()) : kind.name()));
            return;
        }
        if (!host.takePlace(from, ctx.channel())) {
            refuse(
                    ctx,
                    "too_many",
                    "node '%s' has as many streams as it allows: close some, or wait".formatted(net.self()));
            return;
        }
        Duration limit = net.config().limits().verdict();
        after(ctx, limit, () -> refuse(ctx, "timeout", "no decision within %d ms".formatted(limit.toMillis())));
        acceptor.onOpen(new Incoming(from, kind, asked.header(), remote(ctx)), new OneVerdict(ctx, from));
    }

    private static HostPort remote(ChannelHandlerContext ctx) {
        return ctx.channel().remoteAddress() instanceof InetSocketAddress inet
                ? new HostPort(inet.getAddress().getHostAddress(), inet.getPort())
                : new HostPort("unknown", 1);
    }

    private final class OneVerdict implements Verdict {
        private final AtomicBoolean given = new AtomicBoolean();
        private final ChannelHandlerContext ctx;
        private final NodeId from;

        OneVerdict(ChannelHandlerContext ctx, NodeId from) {
            this.ctx = ctx;
            this.from = from;
        }

        @Override
        public void accept(byte[] reply, Consumer<Channel> owner) {
            ByteBuf answer = StreamWire.accepted(reply);
            once(() -> {
                boolean late = decided;
                decided = true;
                finish();
                if (late) {
                    ctx.close(); // Refused for time, or gone: the owner sees a closed channel and cleans up.
                } else {
                    ctx.writeAndFlush(answer);
                    handOver();
                }
                try {
                    owner.accept(ctx.channel());
                } catch (RuntimeException e) {
                    LOGGER.atError()
                            .addMarker(REPLICATION)
                            .addKeyValue(PEER, from)
                            .setCause(e)
                            .log("owner of an accepted stream failed, stream closed");
                    ctx.close();
                }
            });
        }

        @Override
        public void refuse(String code, String words) {
            once(() -> IncomingStream.this.refuse(ctx, code, words));
        }

        private void once(Runnable act) {
            if (!given.compareAndSet(false, true)) {
                throw new IllegalStateException("a verdict was given before");
            }
            if (ctx.executor().inEventLoop()) {
                act.run();
            } else {
                ctx.executor().execute(act);
            }
        }
    }

    /** Says no, then reads on for a moment: closing with unread bytes would destroy the words on their way. */
    private void refuse(ChannelHandlerContext ctx, String code, String words) {
        if (decided) {
            return;
        }
        decided = true;
        finish();
        discard();
        boolean told = code.equals(PeerStreams.NOT_YOUR_TURN);
        if (!told && net.refusals().isDue("stream|" + peer + '|' + code)) {
            LOGGER.atInfo()
                    .addMarker(REPLICATION)
                    .addKeyValue(PEER, peer)
                    .addKeyValue("code", code)
                    .addKeyValue(REASON, words)
                    .log(code.equals("WAIT") ? "asked a stream to wait" : "refused a stream");
        }
        ctx.writeAndFlush(StreamWire.refused(code, words));
        ctx.pipeline().get(SslHandler.class).closeOutbound();
        ctx.pipeline().addAfter(ctx.name(), null, new Discarding());
        handOver();
        ctx.channel().config().setAutoRead(true);
        after(ctx, LINGER, ctx::close);
    }

    /** Closes without a word; for those who did not speak our language. */
    private void drop(ChannelHandlerContext ctx, String words) {
        if (!decided) {
            decided = true;
            finish();
            net.refusals()
                    .warn(
                            "refused a connection on the replication port",
                            IncomingPeer.host(ctx.channel().remoteAddress()),
                            words);
        }
        ctx.close();
    }

    @Override
    void onFailure(ChannelHandlerContext ctx, @Nullable Throwable cause) {
        if (cause != null && PeerIdentity.isRefusal(cause)) {
            drop(ctx, PeerIdentity.words(cause));
        } else {
            decided = true;
            finish();
            ctx.close();
        }
    }

    private void after(ChannelHandlerContext ctx, Duration time, Runnable act) {
        stopDeadline();
        deadline = ctx.executor().schedule(act, time.toMillis(), TimeUnit.MILLISECONDS);
        ctx.channel().closeFuture().addListener(closed -> stopDeadline());
    }

    private void stopDeadline() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }

    private void finish() {
        stopDeadline();
        if (!over) {
            over = true;
            host.onOpeningOver();
        }
    }
}
