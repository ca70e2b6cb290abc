package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.quantadb.node.common.NodeException.Busy;
import io.quantadb.node.testing.PostgresVersion;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A member that asks node a for a session to rewind by. */
class RewindSessionPostgresTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final RewindSource.Login LOGIN = new RewindSource.Login("rewinder", "postgres");

    private final EventLoopGroup bulk = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoopGroup network = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final TestingNode a = new TestingNode("a", PostgresVersion.V15, bulk, network);
    private final TestingNode b = new TestingNode("b", PostgresVersion.V15, bulk, network);
    private final AtomicBoolean busy = new AtomicBoolean();

    @BeforeEach
    void serve() {
        // Nobody acknowledges here.
        a.postgres.set("synchronous_standby_names", "");
        a.asPrimary();
        a.relay.serve(1);
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(a.relay.snapshot().servedEpoch()).isEqualTo(1));
    }

    @AfterEach
    void stop() {
        a.close();
        b.close();
        bulk.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
        network.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
    }

    @Test
    void isOfTheRoleThatTheSourceNamesAndNotOfTheOneAskedFor() throws Exception {
        // Given
        readyForRewinds();
        Channel asked = open();
        List<String> heard = listen(asked);
        Channel otherwise = open();
        List<String> refused = listen(otherwise);

        // When
        say(asked, Map.of("user", "rewinder", "database", "postgres"), "SELECT 'I am ' || current_user");
        say(otherwise, Map.of("user", "postgres", "database", "postgres"), "SELECT 'I am ' || current_user");

        // Then
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(String.join("", heard)).contains("I am rewinder"));
        await().atMost(LONG).until(() -> !otherwise.isActive());
        assertThat(String.join("", refused)).doesNotContain("I am");
    }

    @Test
    void isNoReplicationConnection() throws Exception {
        // Given
        readyForRewinds();
        Channel asked = open();
        List<String> heard = listen(asked);

        // When
        say(asked, Map.of("user", "rewinder", "database", "postgres", "replication", "true"), "IDENTIFY_SYSTEM");

        // Then
        await().atMost(LONG).until(() -> !asked.isActive());
        assertThat(String.join("", heard)).doesNotContain("systemid");
    }

    @Test
    void isRefusedUntilTheServerIsReadyToRewindBy() throws Exception {
        // When
        var nobody = b.relay.openRewind(a.id, a.streams.address(), 1, 2);

        // Then
        assertThat(nobody).failsWithin(LONG).withThrowableThat().withMessageContaining("is not one to rewind by");

        // When
        readyForRewinds();
        busy.set(true);
        var early = b.relay.openRewind(a.id, a.streams.address(), 1, 2);

        // Then
        assertThat(early).failsWithin(LONG).withThrowableThat().withMessageContaining("writes a checkpoint");

        // When
        busy.set(false);

        // Then
        assertThat(open().isActive()).isTrue();
        assertThat(b.relay.openRewind(a.id, a.streams.address(), 9, 2))
                .failsWithin(LONG)
                .withThrowableThat()
                .withMessageContaining("streams of epoch 1, not 9");
    }

    @Test
    void countsAsNoBaseBackupAndEndsWithTheEpoch() throws Exception {
        // Given
        readyForRewinds();
        Channel asked = open();
        List<String> heard = listen(asked);
        say(asked, Map.of("user", "rewinder", "database", "postgres"), "SELECT 'I am ' || current_user");
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(String.join("", heard)).contains("I am rewinder"));

        // When
        a.relay.closeBelow(2);

        // Then
        await().atMost(LONG).until(() -> !asked.isActive());
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(a.relay.snapshot().frozenBelow()).isEqualTo(2));
        assertThat(a.relay.snapshot().backups()).isEqualTo(new RelaySnapshot.Backups(0, 0, 0, 0));
    }

    private void readyForRewinds() {
        a.postgres.query("CREATE ROLE rewinder LOGIN");
        a.relay.serveRewinds(() -> {
            if (busy.get()) {
                throw new Busy("its server writes a checkpoint");
            }
            return LOGIN;
        });
    }

    private Channel open() throws Exception {
        return b.relay
                .openRewind(a.id, a.streams.address(), 1, 2)
                .get(20, TimeUnit.SECONDS)
                .channel();
    }

    private static List<String> listen(Channel channel) {
        List<String> heard = new CopyOnWriteArrayList<>();
        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ByteBuf bytes = (ByteBuf) message;
                heard.add(bytes.toString(StandardCharsets.ISO_8859_1));
                bytes.release();
            }
        });
        channel.config().setAutoRead(true);
        return heard;
    }

    private static void say(Channel channel, Map<String, String> startup, String query) throws InterruptedException {
        ByteBufAllocator allocator = channel.alloc();
        var _ = channel.write(WalMessages.startup(allocator, startup));
        // It may have been closed on the start-up alone.
        channel.writeAndFlush(WalMessages.query(allocator, query)).await();
    }
}
