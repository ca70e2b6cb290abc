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
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.config.NodeConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves the cluster API over HTTP/1.1 on one thread of its own.
 *
 * <p>Limits: {@value #URI_BYTES_MAX} bytes of request line, {@value #HEADER_BYTES_MAX} of headers,
 * {@value #BODY_BYTES_MAX} of body (thrown away), {@value #CONNECTIONS_MAX} connections (more are closed unanswered),
 * 15 s for a request to be complete. Plain HTTP is refused on addresses that are not loopback.
 */
public final class ApiServer implements AutoCloseable {
    static final int URI_BYTES_MAX = 4 * 1024;
    static final int HEADER_BYTES_MAX = 8 * 1024;
    static final long BODY_BYTES_MAX = 64 * 1024;
    static final int CONNECTIONS_MAX = 64;
    static final Duration REQUEST_DEADLINE = Duration.ofSeconds(15);

    private final String host;
    private final int port;
    private final @Nullable SslContext tls;
    private final ApiRouter router;
    private final AtomicInteger connections = new AtomicInteger();
    private final boolean epoll = Epoll.isAvailable();
    private final EventLoopGroup loop;
    private @Nullable Channel listener;

    /**
     * @param port 0 lets the system choose
     * @param tls a server context; null for plain HTTP, on loopback only
     * @param views what is known at this moment; called on this server's thread, must not wait
     */
    public ApiServer(String host, int port, @Nullable SslContext tls, Supplier<ClusterView> views) {
        if (tls == null && !NodeConfig.isLoopback(host)) {
            throw new IllegalArgumentException(
                    "the API on %s needs TLS: plain HTTP is for loopback addresses only".formatted(host));
        }
        this.host = host;
        this.port = port;
        this.tls = tls;
        this.router = new ApiRouter(views);
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
            channel.pipeline().addLast(tls.newHandler(channel.alloc()));
        }
        addHttp(channel.pipeline(), router);
    }

    /** The HTTP part of a connection's pipeline. */
    static void addHttp(ChannelPipeline pipeline, ApiRouter router) {
        pipeline.addLast(new HttpServerCodec(new HttpDecoderConfig()
                .setMaxInitialLineLength(URI_BYTES_MAX)
                .setMaxHeaderSize(HEADER_BYTES_MAX)
                .setMaxChunkSize(8 * 1024)));
        pipeline.addLast(new ApiHandler(router, BODY_BYTES_MAX, REQUEST_DEADLINE));
    }

    @Override
    public void close() {
        if (listener != null) {
            listener.close().awaitUninterruptibly(2, TimeUnit.SECONDS);
        }
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
    }
}
