package io.quantadb.node.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * {@link PeerStreams} over TCP and TLS 1.3, on the bulk event loops. Back-pressure, in both directions: an owner that
 * does not read lets the socket's buffers fill; the sender's {@code isWritable} turns false at 1 MiB waiting in its
 * process and true again at 256 KiB ({@code channelWritabilityChanged}); an owner must stop reading its own source
 * while it is false. Nothing here bounds an owner that writes on regardless. A loop that
 * writes for as long as {@code isWritable} must also stop at {@code !isActive}, for on a closing channel writes fail at
 * once and it stays writable.
 *
 * <p>Streams have no TCP_USER_TIMEOUT (see {@link Sockets}): their owners send heartbeats or live with keep-alive.
 */
@SuppressWarnings("FutureReturnValueIgnored") // failed closes have nobody to tell; timers end with their channel
public final class NettyPeerStreams implements PeerStreams {
    private static final String PORT = "replication port";
    private static final String SETTING = "replication_port";
    private static final int CONNECT_MS = 2000;

    /** So many bytes are encrypted into one buffer: four records of TLS, so that bulk costs fewer buffers and writes. */
    private static final int WRAP_BYTES = 64 << 10;

    private final NetContext net;
    private final Map<StreamKind, Acceptor> acceptors = new ConcurrentHashMap<>();
    private final Map<NodeId, AtomicInteger> perPeer = new ConcurrentHashMap<>();
    private final AtomicInteger streams = new AtomicInteger();
    private final AtomicInteger openings = new AtomicInteger();
    private final ChannelGroup all = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private volatile PeerPolicy policy = PeerPolicy.ALL;
    private volatile @Nullable Channel server;
    private volatile boolean closed;

    NettyPeerStreams(NetContext net) {
        this.net = net;
    }

    @Override
    public synchronized void start() {
        if (server != null) {
            throw new IllegalStateException("already started");
        }
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(net.bulk())
                .channel(net.sockets().serverChannel())
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel ch) {
                        accept(ch);
                    }
                });
        net.sockets().asStream(bootstrap);
        server = Sockets.bind(bootstrap, net.config().replicationBind(), PORT, SETTING);
    }

    private void accept(SocketChannel ch) {
        var limits = net.config().limits();
        if (closed || openings.incrementAndGet() > limits.openings()) {
            openings.decrementAndGet();
            net.refusals()
                    .warn(
                            "closed a connection on the replication port",
                            IncomingPeer.host(ch.remoteAddress()),
                            "too many at once that have not opened a stream: find out who dials this port");
            ch.close();
            return;
        }
        all.add(ch);
        SslHandler tls = net.tls().peerServer().newHandler(ch.alloc(), net.helper());
        tls.setHandshakeTimeoutMillis(limits.opening().toMillis());
        tls.setWrapDataSize(WRAP_BYTES);
        ch.pipeline().addLast(tls, new IncomingStream(net, new Host()));
    }

    private final class Host implements IncomingStream.Host {
        @Override
        public @Nullable Acceptor acceptor(StreamKind kind) {
            return acceptors.get(kind);
        }

        @Override
        public boolean allows(NodeId peer) {
            return policy.allows(peer);
        }

        @Override
        public boolean takePlace(NodeId peer, Channel channel) {
            var limits = net.config().limits();
            AtomicInteger ofPeer = perPeer.computeIfAbsent(peer, p -> new AtomicInteger());
            if (streams.incrementAndGet() > limits.streams()) {
                streams.decrementAndGet();
                return false;
            }
            if (ofPeer.incrementAndGet() > limits.streamsPerPeer()) {
                ofPeer.decrementAndGet();
                streams.decrementAndGet();
                return false;
            }
            channel.closeFuture().addListener(done -> {
                ofPeer.decrementAndGet();
                streams.decrementAndGet();
            });
            return true;
        }

        @Override
        public void onOpeningOver() {
            openings.decrementAndGet();
        }
    }

    @Override
    public void setAcceptor(StreamKind kind, Acceptor acceptor) {
        acceptors.put(kind, acceptor);
    }

    /** Replaces the policy for streams opened from now on; those that stand belong to their owners. */
    void setPolicy(PeerPolicy allowed) {
        policy = allowed;
    }

    @Override
    public CompletableFuture<Opened> open(
            HostPort address, @Nullable NodeId expected, StreamKind kind, byte[] header, Duration deadline) {
        return open(net.bulk().next(), address, expected, kind, header, deadline);
    }

    /** The same on a given event loop of {@link NettyTransport#bulkGroup}, for owners that tie two channels together. */
    public CompletableFuture<Opened> open(
            EventLoop loop,
            HostPort address,
            @Nullable NodeId expected,
            StreamKind kind,
            byte[] header,
            Duration deadline) {
        var result = new CompletableFuture<Opened>();
        if (closed) {
            result.completeExceptionally(new IOException("this node is closing its streams"));
            return result;
        }
        if (header.length > StreamWire.MAX_HEADER) {
            throw new IllegalArgumentException(
                    "a stream header of %d bytes is over %d".formatted(header.length, StreamWire.MAX_HEADER));
        }
        var timer = loop.schedule(
                () -> result.completeExceptionally(
                        new IOException("%s did not answer within %d ms".formatted(address, deadline.toMillis()))),
                deadline.toMillis(),
                TimeUnit.MILLISECONDS);
        result.whenComplete((opened, cause) -> timer.cancel(false));
        net.resolver().resolve(address.host()).whenComplete((found, cause) -> {
            List<InetAddress> all = net.places().first(address.host(), cause == null ? found : List.of());
            if (all.isEmpty()) {
                String why = cause == null ? "none was found" : cause.getMessage();
                result.completeExceptionally(
                        new IOException("the name '%s' has no address: %s".formatted(address.host(), why), cause));
            } else {
                dial(loop, all, 0, new Dial(address, expected, kind, header, result));
            }
        });
        return result;
    }

    private record Dial(
            HostPort address,
            @Nullable NodeId expected,
            StreamKind kind,
            byte[] header,
            CompletableFuture<Opened> result) {}

    /** Tries the addresses of a name one after another until one connects or the future is done. */
    private void dial(EventLoop loop, List<InetAddress> found, int turn, Dial dial) {
        if (dial.result.isDone()) {
            return;
        }
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .channel(net.sockets().channel())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel ch) {
                        all.add(ch);
                        SslHandler tls = net.tls().peerClient().newHandler(ch.alloc(), net.helper());
                        tls.setHandshakeTimeoutMillis(0); // The future's deadline covers it.
                        tls.setWrapDataSize(WRAP_BYTES);
                        ch.pipeline()
                                .addLast(
                                        tls,
                                        new OutgoingStream(
                                                dial.address, dial.expected, dial.kind, dial.header, dial.result));
                    }
                });
        if (dial.kind == StreamKind.WAL) {
            net.sockets().asWalStream(bootstrap);
        } else {
            net.sockets().asStream(bootstrap);
        }
        var connecting = bootstrap.connect(new InetSocketAddress(found.get(turn), dial.address.port()));
        Channel channel = connecting.channel();
        connecting.addListener((ChannelFutureListener) done -> {
            if (done.isSuccess()) {
                // A deadline or a cancelled future leaves no half-open stream behind.
                dial.result.whenComplete((opened, cause) -> {
                    if (cause != null) {
                        channel.close();
                    }
                });
            } else if (turn + 1 < found.size()) {
                dial(loop, found, turn + 1, dial);
            } else {
                dial.result.completeExceptionally(new IOException(
                        "%s: %s".formatted(dial.address, PeerIdentity.words(done.cause())), done.cause()));
            }
        });
    }

    /** Streams accepted and not yet closed. */
    int acceptedStreams() {
        return streams.get();
    }

    @Override
    public HostPort address() {
        Channel bound = server;
        return bound == null
                ? net.config().replicationBind()
                : Sockets.boundTo(bound, net.config().replicationBind());
    }

    @Override
    public void close() {
        closed = true;
        Channel bound = server;
        if (bound != null) {
            bound.close().awaitUninterruptibly(1000);
        }
        all.close();
    }
}
