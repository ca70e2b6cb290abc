package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class UnixSocketsTest {
    private static final int BUFFER_BYTES = 1 << 20;

    @Test
    void aReceiversSocketHoldsMoreThanTheSystemsDefault() throws Exception {
        // Given what the shipped program runs on where it can
        var group = new MultiThreadIoEventLoopGroup(
                1,
                io.netty.channel.epoll.Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        // A socket's path must be short.
        Path folder = Files.createTempDirectory(Path.of("/tmp"), "qdb");
        Path socket = folder.resolve("s");
        try {
            EventLoop loop = group.next();
            var accepted = new CompletableFuture<Channel>();
            var incoming = new ChannelInitializer<Channel>() {
                @Override
                protected void initChannel(Channel channel) {
                    accepted.complete(channel);
                }
            };
            var _ = UnixSockets.listen(loop, socket, BUFFER_BYTES, incoming).sync();

            // When
            Channel receiver = UnixSockets.connect(loop, socket, BUFFER_BYTES, 5000, new ChannelInboundHandlerAdapter())
                    .sync()
                    .channel();

            // Then
            int usual = receiver.config().getOption(ChannelOption.SO_SNDBUF);
            int ours = accepted.get(10, TimeUnit.SECONDS).config().getOption(ChannelOption.SO_SNDBUF);
            assertThat(ours).isGreaterThan(usual);
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
            Files.deleteIfExists(socket);
            Files.delete(folder);
        }
    }
}
