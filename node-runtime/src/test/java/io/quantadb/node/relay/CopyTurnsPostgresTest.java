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
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.transport.PeerStreams;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Nodes b and c, which want a copy of node a's data. */
class CopyTurnsPostgresTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    /** Longer than a base backup's second of rest, which is added to it, and short for a test. */
    private static final Duration STALL = Duration.ofSeconds(1);
    /** More than what a server answers before the first of a copy. */
    private static final long BEGUN = 8 << 10;

    private final EventLoopGroup bulk = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoopGroup network = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final TestingNode a = new TestingNode("a", PostgresVersion.V15, bulk, network, STALL);
    private final TestingNode b = new TestingNode("b", PostgresVersion.V15, bulk, network);
    private final TestingNode c = new TestingNode("c", PostgresVersion.V15, bulk, network);

    @BeforeEach
    void serve() {
        a.postgres.set("synchronous_standby_names", "");
        a.asPrimary();
        a.relay.serveRewinds(() -> new RewindSource.Login("postgres", "postgres"));
        a.relay.serve(1);
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(a.relay.snapshot().servedEpoch()).isEqualTo(1));
    }

    @AfterEach
    void stop() {
        a.close();
        b.close();
        c.close();
        bulk.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
        network.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
    }

    @Test
    void theSecondIsRefusedUntilTheFirstHasAllAndNeitherWalNorARewindIs() throws Exception {
        // Given a copy that goes on and on
        Copy first = new Copy(b);
        first.begin(", MAX_RATE 32");
        await("bytes of it").atMost(LONG).until(() -> first.bytes.get() > BEGUN);

        // When
        String refused = refusal(c);
        CompletableFuture<PeerStreams.Opened> rewind = c.relay.openRewind(a.id, a.streams.address(), 1, 2);

        // Then
        assertThat(refused).matches("not_your_turn: b is being copied, since \\d+ s; one at a time");
        assertThat(rewind).succeedsWithin(LONG);
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.relay.snapshot().copies())
                        .extracting(copy -> copy.member() + " " + copy.words().replaceAll("\\d+", "N"))
                        .containsExactly(
                                "b is being copied, since N s", "c waits for its turn: b is being copied, since N s"));

        // When it is gone
        first.channel.close().sync();

        // Then the other begins, and whoever was to wait has not failed
        Copy second = awaitTurn(c);
        second.begin("");
        await("all of it")
                .atMost(LONG)
                .untilAsserted(() ->
                        assertThat(a.relay.snapshot().backups()).isEqualTo(new RelaySnapshot.Backups(2, 2, 0, 1)));

        // And when all is sent, the next has its turn although the stream is open
        assertThat(second.channel.isActive()).isTrue();
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.relay.snapshot().copies()).isEmpty());
        assertThat(b.relay.openBaseBackup(a.id, a.streams.address(), 1, 3)).succeedsWithin(LONG);
        second.channel.close().sync();
        await("counted as complete")
                .atMost(LONG)
                .untilAsserted(() ->
                        assertThat(a.relay.snapshot().backups().complete()).isEqualTo(1));
    }

    @Test
    void aVoterBeginsBesideAReadReplicaAndNotTheOtherWayRound() throws Exception {
        // Given
        a.relay.readReplicas(Set.of(b.id));
        Copy replica = new Copy(b);
        replica.begin(", MAX_RATE 32");

        // When
        Copy voter = new Copy(c);
        voter.begin(", MAX_RATE 32");
        await("bytes of both").atMost(LONG).until(() -> replica.bytes.get() > BEGUN && voter.bytes.get() > BEGUN);
        replica.channel.close().sync();

        // Then
        assertThat(refusal(b)).startsWith("not_your_turn: c is being copied");
    }

    @Test
    void aCopyThatStandsStillEndsAndTheNextBegins() throws Exception {
        // Given a member that asked for its turn and reads nothing of what comes
        Copy first = new Copy(b);
        first.channel.config().setAutoRead(false);
        first.begin("");

        // When
        Copy second = awaitTurn(c);

        // Then
        assertThat(second.channel.isActive()).isTrue();
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(a.relay.snapshot().backups().failed()).isEqualTo(1));
    }

    @Test
    void aTurnThatIsNotUsedEnds() throws Exception {
        // Given
        Copy first = new Copy(b);

        // When
        Copy second = awaitTurn(c);

        // Then
        await("the first is closed").atMost(LONG).until(() -> !first.channel.isActive());
        assertThat(second.channel.isActive()).isTrue();
    }

    private Copy awaitTurn(TestingNode who) throws Exception {
        Copy[] found = new Copy[1];
        await(who.id + " has its turn")
                .atMost(LONG)
                .ignoreExceptionsMatching(e -> e.getCause() instanceof PeerStreams.StreamRefused)
                .until(() -> {
                    found[0] = new Copy(who);
                    return true;
                });
        return found[0];
    }

    private String refusal(TestingNode who) throws Exception {
        try {
            var _ = new Copy(who).channel.close();
            return "";
        } catch (ExecutionException e) {
            PeerStreams.StreamRefused refused = (PeerStreams.StreamRefused) e.getCause();
            return refused.code() + ": " + refused.getMessage();
        }
    }

    /** A stream for a base backup of node a's data, counted and thrown away. */
    private final class Copy {
        private final Channel channel;
        private final AtomicLong bytes = new AtomicLong();

        Copy(TestingNode who) throws Exception {
            channel = who.relay
                    .openBaseBackup(a.id, a.streams.address(), 1, 2)
                    .get(20, TimeUnit.SECONDS)
                    .channel();
            channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    bytes.addAndGet(((ByteBuf) message).readableBytes());
                    ((ByteBuf) message).release();
                }
            });
            channel.config().setAutoRead(true);
        }

        void begin(String options) throws InterruptedException {
            ByteBufAllocator allocator = channel.alloc();
            var _ = channel.write(WalMessages.startup(allocator, Map.of("user", "any", "replication", "true")));
            channel.writeAndFlush(WalMessages.query(
                            allocator,
                            "BASE_BACKUP (LABEL 'of a test', CHECKPOINT 'fast', MANIFEST 'no'%s)".formatted(options)))
                    .sync();
        }
    }
}
