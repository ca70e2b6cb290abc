package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SocketsTest {
    @Test
    void controlConnectionsDieSoonWhenNobodyAcknowledgesAndStreamsBearAShutWindow() {
        // Given
        var sockets = new Sockets(true);
        var dialled = new Bootstrap();
        var accepted = new ServerBootstrap();
        var stream = new Bootstrap();
        // When
        sockets.asControl(dialled);
        sockets.asControl(accepted);
        sockets.asStream(stream);
        // Then
        assertThat(dialled.config().options())
                .containsEntry(EpollChannelOption.TCP_USER_TIMEOUT, 1500)
                .containsEntry(ChannelOption.TCP_NODELAY, true)
                .containsEntry(ChannelOption.SO_KEEPALIVE, true);
        assertThat(accepted.config().childOptions())
                .containsEntry(EpollChannelOption.TCP_USER_TIMEOUT, 1500)
                .containsEntry(ChannelOption.SO_KEEPALIVE, true);
        assertThat(stream.config().options())
                .doesNotContainKey(EpollChannelOption.TCP_USER_TIMEOUT)
                .containsEntry(ChannelOption.SO_KEEPALIVE, true);
    }

    @Test
    void onlyWalIsReadInLargePieces() {
        // Given
        var sockets = new Sockets(true);
        var wal = new Bootstrap();
        var other = new Bootstrap();
        // When
        sockets.asWalStream(wal);
        sockets.asStream(other);
        // Then
        assertThat(wal.config().options())
                .containsKeys(ChannelOption.RECVBUF_ALLOCATOR, ChannelOption.SO_KEEPALIVE)
                .containsEntry(ChannelOption.ALLOCATOR, Sockets.STREAM_BUFFERS);
        assertThat(other.config().options()).doesNotContainKey(ChannelOption.RECVBUF_ALLOCATOR);
    }

    @Test
    void nativeOptionsAreLeftAwayWhereThereIsNoEpoll() {
        var dialled = new Bootstrap();
        new Sockets(false).asControl(dialled);
        assertThat(dialled.config().options())
                .containsOnlyKeys(
                        ChannelOption.TCP_NODELAY, ChannelOption.SO_KEEPALIVE, ChannelOption.WRITE_BUFFER_WATER_MARK);
    }

    @Test
    void looksUpOnlySoManyNamesAtATime() throws Exception {
        // Given name servers that do not answer
        var answer = new CountDownLatch(1);
        try (var resolver = new AddressResolver(host -> {
            try {
                if (!answer.await(20, TimeUnit.SECONDS)) {
                    throw new UnknownHostException(host);
                }
            } catch (InterruptedException e) {
                throw new UnknownHostException(host);
            }
            return new InetAddress[] {InetAddress.getLoopbackAddress()};
        })) {
            // When
            var waiting = new ArrayList<CompletableFuture<List<InetAddress>>>();
            for (int i = 0; i < 16; i++) {
                waiting.add(resolver.resolve("slow" + i));
            }
            // Then one more fails at once, and literal addresses need no server
            assertThatThrownBy(() -> resolver.resolve("another").get(5, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(UnknownHostException.class)
                    .hasMessageContaining("too many names");
            assertThat(resolver.resolve("10.1.2.3")).isCompleted();
            assertThat(resolver.resolve("fe80::1")).isCompleted();
            answer.countDown();
            for (var one : waiting) {
                assertThat(one.get(5, TimeUnit.SECONDS)).hasSize(1);
            }
        }
    }

    @Test
    void tellsAResetFromOtherEnds() {
        assertThat(PeerIdentity.isReset(new java.net.ConnectException("Connection refused")))
                .isTrue();
        assertThat(PeerIdentity.isReset(new java.io.IOException("recvAddress(..) failed with error(-104): x")))
                .isTrue();
        assertThat(PeerIdentity.isReset(new java.net.ConnectException("No route to host")))
                .isFalse();
        assertThat(PeerIdentity.isReset(new io.netty.channel.ConnectTimeoutException("connection timed out")))
                .isFalse();
        assertThat(PeerIdentity.isReset(null)).isFalse();
    }
}
