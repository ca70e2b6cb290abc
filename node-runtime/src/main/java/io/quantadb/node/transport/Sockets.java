package io.quantadb.node.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException.LocalFault;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/**
 * Which kind of socket this machine has (native epoll, or NIO where that is missing) and how its options are set.
 *
 * <p>A control connection always has traffic, so unacknowledged data for {@value #USER_TIMEOUT_MS} ms means that the
 * path or the peer is gone, and the kernel ends it. Streams have no such timeout: Linux also counts the time in which
 * a healthy receiver keeps its window shut, so back-pressure would be taken for death; they have keep-alive, and their
 * owners heartbeats.
 */
public final class Sockets {
    static final int USER_TIMEOUT_MS = 1500;
    private static final long BIND_WAIT_S = 10;
    private static final int PAGE_BYTES = 8192;
    static final int CHUNK_BYTES = 2 << 20;

    /** Back-pressure: above the high mark {@code isWritable} turns false, at the low mark true again. */
    static final WriteBufferWaterMark STREAM_MARKS = new WriteBufferWaterMark(256 * 1024, 1024 * 1024);

    /**
     * The buffers of bulk streams, here and where the relay puts its own channels. In a heap as small as an agent's,
     * Netty's default allocator pools nothing above 16 KiB: every larger read would be mapped, zeroed by the kernel and
     * unmapped anew. One arena, in chunks of {@value #CHUNK_BYTES} bytes, made when first needed and given back when empty.
     */
    public static final ByteBufAllocator STREAM_BUFFERS = newStreamBuffers();

    static final WriteBufferWaterMark CONTROL_MARKS = new WriteBufferWaterMark(1024 * 1024, 4 * 1024 * 1024);

    private final boolean epoll;

    Sockets(boolean epoll) {
        this.epoll = epoll;
    }

    static PooledByteBufAllocator newStreamBuffers() {
        int order = Integer.numberOfTrailingZeros(CHUNK_BYTES / PAGE_BYTES);
        return new PooledByteBufAllocator(true, 0, 1, PAGE_BYTES, order, 64, 16, false);
    }

    /** The best that this machine has. */
    static Sockets best() {
        return new Sockets(Epoll.isAvailable());
    }

    public boolean isEpoll() {
        return epoll;
    }

    EventLoopGroup group(int threads, String name, int priority) {
        IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(name, true, priority), io);
    }

    public Class<? extends ServerSocketChannel> serverChannel() {
        return epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    }

    public Class<? extends SocketChannel> channel() {
        return epoll ? EpollSocketChannel.class : NioSocketChannel.class;
    }

    /** Options of a dialled control connection. */
    void asControl(Bootstrap bootstrap) {
        bootstrap
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, CONTROL_MARKS);
        if (epoll) {
            bootstrap
                    .option(EpollChannelOption.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
                    .option(EpollChannelOption.TCP_KEEPIDLE, 1)
                    .option(EpollChannelOption.TCP_KEEPINTVL, 1)
                    .option(EpollChannelOption.TCP_KEEPCNT, 2);
        }
    }

    /** Options of accepted control connections. */
    void asControl(ServerBootstrap bootstrap) {
        bootstrap
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, CONTROL_MARKS);
        if (epoll) {
            bootstrap
                    .childOption(EpollChannelOption.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
                    .childOption(EpollChannelOption.TCP_KEEPIDLE, 1)
                    .childOption(EpollChannelOption.TCP_KEEPINTVL, 1)
                    .childOption(EpollChannelOption.TCP_KEEPCNT, 2);
        }
    }

    /** Options of a dialled stream. */
    void asStream(Bootstrap bootstrap) {
        bootstrap
                .option(ChannelOption.ALLOCATOR, STREAM_BUFFERS)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, STREAM_MARKS);
        if (epoll) {
            bootstrap
                    .option(EpollChannelOption.TCP_KEEPIDLE, 2)
                    .option(EpollChannelOption.TCP_KEEPINTVL, 1)
                    .option(EpollChannelOption.TCP_KEEPCNT, 3);
        }
    }

    /**
     * Options of a dialled stream that WAL comes in on. They must be there from the start: the first read settles them.
     * What is read is decrypted into as large a buffer, and with 1 MiB of them waiting it all fits into one chunk.
     */
    void asWalStream(Bootstrap bootstrap) {
        asStream(bootstrap);
        bootstrap.option(ChannelOption.RECVBUF_ALLOCATOR, bulkReads(128 << 10));
    }

    /** Grows up to so many bytes, so that bulk streams are read in few calls. */
    public static AdaptiveRecvByteBufAllocator bulkReads(int mostBytes) {
        return new AdaptiveRecvByteBufAllocator(512, 16 << 10, mostBytes);
    }

    /** Options of accepted streams. */
    void asStream(ServerBootstrap bootstrap) {
        bootstrap
                .childOption(ChannelOption.ALLOCATOR, STREAM_BUFFERS)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, STREAM_MARKS);
        if (epoll) {
            bootstrap
                    .childOption(EpollChannelOption.TCP_KEEPIDLE, 2)
                    .childOption(EpollChannelOption.TCP_KEEPINTVL, 1)
                    .childOption(EpollChannelOption.TCP_KEEPCNT, 3);
        }
    }

    /**
     * Binds, or says in a {@link LocalFault} which port, what address, and which setting to change. Blocking.
     *
     * @param port what the port is for, as in "Raft port"
     * @param setting the key in the settings that moves it
     */
    public static Channel bind(ServerBootstrap bootstrap, HostPort at, String port, String setting) {
        var address = new InetSocketAddress(at.host(), at.port());
        if (address.isUnresolved()) {
            throw new LocalFault("the %s cannot be opened on %s: the name '%s' has no address; correct the host setting"
                    .formatted(port, at, at.host()));
        }
        ChannelFuture bound = bootstrap.bind(address);
        if (!bound.awaitUninterruptibly(BIND_WAIT_S, TimeUnit.SECONDS)) {
            bound.addListener(f -> OpeningHandler.closeQuietly(bound.channel()));
            throw new LocalFault("the %s could not be opened on %s within %d s".formatted(port, at, BIND_WAIT_S));
        }
        Throwable cause = bound.cause();
        if (cause != null) {
            throw new LocalFault(whyNot(String.valueOf(cause.getMessage()), at, port, setting), cause);
        }
        return bound.channel();
    }

    private static String whyNot(String text, HostPort at, String port, String setting) {
        if (text.contains("(-98)") || text.contains("already in use")) {
            return "the %s %s is taken by another program: end that program, or set another %s"
                    .formatted(port, at, setting);
        }
        if (text.contains("(-13)") || text.contains("ermission denied")) {
            return "the %s %s may not be opened by user '%s': set a %s above 1023"
                    .formatted(port, at, System.getProperty("user.name"), setting);
        }
        if (text.contains("(-99)") || text.contains("annot assign")) {
            return "the %s cannot be opened on %s: this machine has no such address; correct the host setting"
                    .formatted(port, at);
        }
        return "the %s cannot be opened on %s: %s; set another %s".formatted(port, at, text, setting);
    }

    /** The address a server channel is bound to, under the name it was asked for. */
    static HostPort boundTo(Channel server, HostPort asked) {
        return new HostPort(asked.host(), ((InetSocketAddress) server.localAddress()).getPort());
    }
}
