package io.quantadb.node.front;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;

/** Connects to the PostgreSQL beside us over its unix socket, with epoll or NIO as the given loop has it. */
final class Dialer {
    private final Path socket;
    private final Duration deadline;
    private final WriteBufferWaterMark mark;

    Dialer(FrontConfig config) {
        this.socket = config.postgresSocket();
        this.deadline = config.limits().dialDeadline();
        this.mark = mark(config.limits());
    }

    /** The bound of unsent bytes, as Netty counts it. */
    static WriteBufferWaterMark mark(FrontConfig.Limits limits) {
        return new WriteBufferWaterMark(limits.sessionBufferBytes() / 2, limits.sessionBufferBytes());
    }

    static Class<? extends ServerChannel> listenerType(EventLoopGroup group) {
        return epoll(group) ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    }

    /** Connects on the given loop, auto-read off. */
    ChannelFuture connect(EventLoop loop) {
        boolean epoll = epoll(loop);
        Class<? extends Channel> type = epoll ? EpollDomainSocketChannel.class : NioDomainSocketChannel.class;
        SocketAddress address = epoll ? new DomainSocketAddress(socket.toString()) : UnixDomainSocketAddress.of(socket);
        return new Bootstrap()
                .group(loop)
                .channel(type)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(Integer.MAX_VALUE, deadline.toMillis()))
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, mark)
                .handler(new ChannelInboundHandlerAdapter())
                .connect(address);
    }

    private static boolean epoll(EventLoopGroup group) {
        return group instanceof IoEventLoopGroup io && io.isIoType(EpollIoHandler.class);
    }
}
