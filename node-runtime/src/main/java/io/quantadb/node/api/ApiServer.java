package io.quantadb.node.api;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.OptionalSslHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.quantadb.node.common.EventBook;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.config.NodeConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves the cluster API over HTTP/1.1 on one thread of its own: over TLS, and on loopback addresses over plain HTTP too,
 * on the same port. Who may ask what is said by {@link Route} and {@link Gatekeeper}.
 *
 * <p>Limits: {@value #URI_BYTES_MAX} bytes of request line, {@value #HEADER_BYTES_MAX} of headers,
 * {@value #BODY_BYTES_MAX} of body (thrown away; 4 KiB where one is wanted), {@value #CONNECTIONS_MAX} connections (more
 * are closed unanswered), 15 s for a request to be complete, 20 s more for a change to be made.
 */
public final class ApiServer implements AutoCloseable {
    static final int URI_BYTES_MAX = 4 * 1024;
    static final int HEADER_BYTES_MAX = 8 * 1024;
    static final long BODY_BYTES_MAX = 64 * 1024;
    static final int CONNECTIONS_MAX = 64;
    static final Duration REQUEST_DEADLINE = Duration.ofSeconds(15);
    /** Within this a change is answered. */
    public static final Duration CHANGE_DEADLINE = Duration.ofSeconds(20);

    private final String host;
    private final int port;
    private final @Nullable Supplier<SslContext> tls;
    private final boolean plain;
    private final ApiRouter router;
    private final Gatekeeper gatekeeper;
    private final AtomicInteger connections = new AtomicInteger();
    private final boolean epoll = Epoll.isAvailable();
    private final EventLoopGroup loop;
    private @Nullable Channel listener;

    /**
     * What the server answers from; all of it is asked on the server's thread and must not wait.
     *
     * @param views what is known at this moment
     * @param divergedWal what is kept of WAL that the cluster left behind, the newest first
     * @param events what this process has lived through
     */
    public record Answers(
            Supplier<ClusterView> views,
            Probes probes,
            Founder founder,
            Administrator administrator,
            Switchovers switchovers,
            Gatekeeper gatekeeper,
            Supplier<List<KeptSegments>> divergedWal,
            EventBook events) {
        /** Of an agent's own process. */
        public Answers(
                Supplier<ClusterView> views,
                Probes probes,
                Founder founder,
                Administrator administrator,
                Switchovers switchovers,
                Gatekeeper gatekeeper,
                Supplier<List<KeptSegments>> divergedWal) {
            this(views, probes, founder, administrator, switchovers, gatekeeper, divergedWal, EventBook.ofProcess());
        }

        /** Of a node that never leaves WAL behind. */
        public Answers(
                Supplier<ClusterView> views,
                Probes probes,
                Founder founder,
                Administrator administrator,
                Switchovers switchovers,
                Gatekeeper gatekeeper) {
            this(views, probes, founder, administrator, switchovers, gatekeeper, List::of);
        }

        /** Of a node whose primary never moves on request. */
        public Answers(
                Supplier<ClusterView> views,
                Probes probes,
                Founder founder,
                Administrator administrator,
                Gatekeeper gatekeeper) {
            this(views, probes, founder, administrator, Switchovers.none(), gatekeeper);
        }

        /** Everybody may read what is known, and nobody change anything. */
        public static Answers readOnly(Supplier<ClusterView> views) {
            return new Answers(
                    views,
                    Probes.of(views),
                    Founder.none("this node founds no cluster"),
                    Administrator.none(),
                    Gatekeeper.readOnly());
        }
    }

    /** Reads over plain HTTP, on loopback alone. */
    public ApiServer(String host, int port, Supplier<ClusterView> views) {
        this(host, port, null, Answers.readOnly(views));
    }

    /**
     * @param port 0 lets the system choose
     * @param tls the server context of this moment, asked for at each connection; null for plain HTTP alone, on loopback
     */
    public ApiServer(String host, int port, @Nullable Supplier<SslContext> tls, Answers answers) {
        this.plain = NodeConfig.isLoopback(host);
        if (tls == null && !plain) {
            throw new IllegalArgumentException(
                    "the API on %s needs TLS: plain HTTP is for loopback addresses only".formatted(host));
        }
        this.host = host;
        this.port = port;
        this.tls = tls;
        this.router = new ApiRouter(answers);
        this.gatekeeper = answers.gatekeeper();
        this.loop = new MultiThreadIoEventLoopGroup(
                1,
                new DefaultThreadFactory("api", true),
                epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    }

    /** Listens; fails with an {@link IOException} that names the address when that is not possible. */
    public void start() throws IOException {
        Class<? extends ServerChannel> type = epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
        var bound = new ServerBootstrap()
                .group(loop)
                .channel(type)
                .option(ChannelOption.SO_BACKLOG, CONNECTIONS_MAX)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                })
                .bind(host, port);
        if (!bound.awaitUninterruptibly(10, TimeUnit.SECONDS) || !bound.isSuccess()) {
            close();
            Throwable cause = bound.cause();
            throw new IOException(
                    "the API cannot listen on %s:%d: %s"
                            .formatted(host, port, cause == null ? "no answer in 10 s" : cause.getMessage()),
                    cause);
        }
        listener = bound.channel();
    }

    /** The address bound, with the real port; after {@link #start}. */
    public HostPort address() {
        if (listener != null && listener.localAddress() instanceof InetSocketAddress bound) {
            return new HostPort(bound.getAddress().getHostAddress(), bound.getPort());
        }
        throw new IllegalStateException("the API has not been started");
    }

    private void accept(Channel channel) {
        if (connections.incrementAndGet() > CONNECTIONS_MAX) {
            connections.decrementAndGet();
            Future<?> _ = channel.close();
            return;
        }
        Future<?> _ = channel.closeFuture().addListener(closed -> connections.decrementAndGet());
        if (tls != null) {
            SslContext now = tls.get();
            // On loopback the first bytes of a connection tell which of the two it speaks.
            channel.pipeline().addLast(plain ? new OptionalSslHandler(now) : now.newHandler(channel.alloc()));
        }
        addHttp(channel.pipeline(), router, gatekeeper);
    }

    /** The HTTP part of a connection's pipeline. */
    static void addHttp(ChannelPipeline pipeline, ApiRouter router, Gatekeeper gatekeeper) {
        pipeline.addLast(new HttpServerCodec(new HttpDecoderConfig()
                .setMaxInitialLineLength(URI_BYTES_MAX)
                .setMaxHeaderSize(HEADER_BYTES_MAX)
                .setMaxChunkSize(8 * 1024)));
        pipeline.addLast(new ApiHandler(router, gatekeeper, BODY_BYTES_MAX, REQUEST_DEADLINE));
    }

    @Override
    public void close() {
        if (listener != null) {
            listener.close().awaitUninterruptibly(2, TimeUnit.SECONDS);
        }
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
    }
}
