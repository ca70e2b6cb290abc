package io.quantadb.node.relay;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.quantadb.node.transport.Sockets;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/** Unix sockets over whichever transport the loop runs: epoll as shipped, NIO elsewhere. */
final class UnixSockets {
    /** Two full WAL messages. */
    private static final int READ_BYTES = 256 << 10;

    private UnixSockets() {}

    static ChannelFuture connect(EventLoop loop, Path socket, int bufferBytes, int timeoutMs, ChannelHandler handler) {
        boolean epoll = isEpoll(loop);
        return new Bootstrap()
                .group(loop)
                .channel(epoll ? EpollDomainSocketChannel.class : NioDomainSocketChannel.class)
                .option(ChannelOption.ALLOCATOR, Sockets.STREAM_BUFFERS)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMs)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark(bufferBytes))
                .option(ChannelOption.RECVBUF_ALLOCATOR, Sockets.bulkReads(READ_BYTES))
                .handler(handler)
                .connect(address(epoll, socket));
    }

    /**
     * Accepts WAL receivers. Their sockets get a send buffer as large as the stream's: a receiver that finds its socket
     * empty, or a message of which only a part is there, flushes what it has before it waits. With the system's default
     * (200 KiB, one message and a half) it would do so after every message of a bulk stream. The system's limit
     * ({@code net.core.wmem_max}) applies.
     */
    static ChannelFuture listen(EventLoop loop, Path socket, int bufferBytes, ChannelHandler childHandler) {
        boolean epoll = isEpoll(loop);
        return new ServerBootstrap()
                .group(loop, loop)
                .channel(epoll ? EpollServerDomainSocketChannel.class : NioServerDomainSocketChannel.class)
                .childOption(ChannelOption.ALLOCATOR, Sockets.STREAM_BUFFERS)
                .childOption(ChannelOption.SO_SNDBUF, bufferBytes)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark(bufferBytes))
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, Sockets.bulkReads(READ_BYTES))
                .childHandler(childHandler)
                .bind(address(epoll, socket));
    }

    static WriteBufferWaterMark waterMark(int bufferBytes) {
        return new WriteBufferWaterMark(bufferBytes / 2, bufferBytes);
    }

    private static boolean isEpoll(EventLoop loop) {
        return loop instanceof IoEventLoop io && io.isIoType(EpollIoHandler.class);
    }

    private static SocketAddress address(boolean epoll, Path socket) {
        return epoll ? new DomainSocketAddress(socket.toFile()) : UnixDomainSocketAddress.of(socket);
    }
}
