package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.transport.PeerStreams;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real servers, two and three relays, over loopback. */
final class WalRelayPostgresTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final EventLoopGroup bulk = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoopGroup network = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    private final List<TestingNode> nodes = new CopyOnWriteArrayList<>();

    @AfterEach
    void stop() {
        CompletableFuture.allOf(nodes.stream()
                        .map(node -> CompletableFuture.runAsync(node::close, clients))
                        .toArray(CompletableFuture[]::new))
                .join();
        clients.shutdownNow();
        bulk.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
        network.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
    }

    private TestingNode node(String name, PostgresVersion version) {
        TestingNode node = new TestingNode(name, version, bulk, network);
        nodes.add(node);
        return node;
    }

    /** The first a primary, the others standbys; started side by side. */
    private List<TestingNode> cluster(PostgresVersion version, String... names) {
        List<CompletableFuture<TestingNode>> starting = new ArrayList<>();
        for (String name : names) {
            starting.add(CompletableFuture.supplyAsync(
                    () -> {
                        TestingNode node = node(name, version);
                        return name.equals("a") ? node.asPrimary() : node.asStandby();
                    },
                    clients));
        }
        return starting.stream().map(CompletableFuture::join).toList();
    }

    private static void speak(TestingNode primary, VoicePermit permit) {
        primary.relay.setPermit(permit);
        primary.relay.openVoice();
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(primary.told(Event.VoiceOpened.class)).isNotEmpty());
    }

    private CompletableFuture<Void> write(TestingNode node, String sql) {
        return CompletableFuture.runAsync(
                () -> {
                    try (PgConnection session = node.postgres.connect()) {
                        session.query(sql, LONG);
                    }
                },
                clients);
    }

    private static void awaitWaitingCommit(TestingNode primary) {
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(
                                primary.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
                        .isEqualTo("1"));
    }

    private static void awaitStreaming(TestingNode standby, long epoch) {
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(standby.told(Event.StreamOpened.class))
                        .anySatisfy(opened -> assertThat(opened.epoch()).isEqualTo(epoch)));
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void aStandbyFeedsAThirdNodeWhichCountsNowhereAndGoesOnWithThePrimaryThroughTheSameReceiver(
            PostgresVersion version) {
        // Given
        List<TestingNode> all = cluster(version, "a", "b", "c");
        TestingNode a = all.get(0);
        TestingNode b = all.get(1);
        TestingNode c = all.get(2);
        a.relay.serve(1);
        b.follow(a, 1, 1);
        CompletableFuture<Void> first = write(a, "CREATE TABLE t (id int PRIMARY KEY)");
        awaitWaitingCommit(a);
        speak(a, TestingNode.permit(1, 1, 1, b, c));
        first.orTimeout(20, TimeUnit.SECONDS).join();

        // When
        b.relay.feed(1, Set.of(c.id));
        c.follow(b, 1, 1);
        awaitStreaming(c, 1);
        write(a, "INSERT INTO t SELECT generate_series(1, 1000)").join();

        // Then
        await("the table and its rows")
                .atMost(LONG)
                .ignoreExceptionsInstanceOf(PgError.class)
                .untilAsserted(() -> assertThat(c.one("SELECT max(id) FROM t")).isEqualTo("1000"));
        String fed = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'quantadb_c_1'";
        assertThat(b.one(fed)).isEqualTo("1");
        assertThat(a.one(fed)).isEqualTo("0");
        assertThat(b.one("SELECT active FROM pg_replication_slots WHERE slot_name = 'quantadb_node_c'"))
                .isEqualTo("t");
        assertThat(a.relay.snapshot().members())
                .extracting(RelaySnapshot.Member::member)
                .containsExactly(b.member());
        String receiver = c.one("SELECT pid FROM pg_stat_wal_receiver");

        // When who feeds it is gone
        b.postgres.kill9();
        c.relay.stopFollowing();
        c.follow(a, 1, 1);
        write(a, "INSERT INTO t VALUES (1001)").orTimeout(20, TimeUnit.SECONDS).join();

        // Then
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(c.one("SELECT max(id) FROM t")).isEqualTo("1001"));
        assertThat(c.one("SELECT pid FROM pg_stat_wal_receiver")).isEqualTo(receiver);
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void acknowledgesACommitOnceTheRuleIsSatisfiedAndRePointsTheThirdNodeWithoutRestart(PostgresVersion version) {
        // Given a primary with two standbys, and a voice that wants one of them
        List<TestingNode> all = cluster(version, "a", "b", "c");
        TestingNode a = all.get(0);
        TestingNode b = all.get(1);
        TestingNode c = all.get(2);
        a.relay.serve(1);
        b.follow(a, 1, 1);
        c.follow(a, 1, 1);
        CompletableFuture<Void> first = write(a, "CREATE TABLE t (id int PRIMARY KEY)");
        awaitWaitingCommit(a);
        speak(a, TestingNode.permit(1, 1, 1, b, c));
        first.orTimeout(20, TimeUnit.SECONDS).join();
        assertThat(a.relay.voiceReported().isNone()).isFalse();
        awaitStreaming(b, 1);
        awaitStreaming(c, 1);
        String receiver = c.one("SELECT pid FROM pg_stat_wal_receiver");
        write(a, "INSERT INTO t SELECT generate_series(1, 1000)").join();
        // One of the two was enough for that; b, which is to be promoted, must not be behind the other.
        String written = a.one("SELECT pg_current_wal_flush_lsn()");
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(b.one("SELECT pg_last_wal_receive_lsn() >= '" + written + "'"))
                        .isEqualTo("t"));

        // When the primary dies, both are frozen for epoch 2, and b is promoted
        a.postgres.kill9();
        b.relay.closeBelow(2);
        c.relay.closeBelow(2);
        for (TestingNode frozen : List.of(b, c)) {
            await().atMost(LONG)
                    .untilAsserted(() -> assertThat(frozen.told(Event.StreamsClosedBelow.class))
                            .hasSize(1));
            Event.ReceiverProgress last =
                    frozen.told(Event.ReceiverProgress.class).getLast();
            assertThat(last.flushed()).isEqualTo(last.delivered());
        }
        b.one("SELECT pg_promote(false)");
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(b.one("SELECT pg_is_in_recovery()")).isEqualTo("f"));
        b.relay.serve(2);
        c.follow(b, 2, 1);
        speak(b, TestingNode.permit(2, 2, 1, c));
        write(b, "INSERT INTO t VALUES (1001)").orTimeout(20, TimeUnit.SECONDS).join();

        // Then the third node has it, through the receiver that it had all along
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(c.one("SELECT max(id) FROM t")).isEqualTo("1001"));
        assertThat(c.one("SELECT pid FROM pg_stat_wal_receiver")).isEqualTo(receiver);
        assertThat(c.one("SELECT received_tli FROM pg_stat_wal_receiver")).isEqualTo("2");
    }

    @Test
    void stopsReadingYetCommitsKeepFlowingAndBlockOnceTooFewMembersAreLeft() {
        // Given a voice that wants one of one
        List<TestingNode> all = cluster(PostgresVersion.V15, "a", "b");
        TestingNode a = all.get(0);
        TestingNode b = all.get(1);
        a.relay.serve(1);
        b.follow(a, 1, 1);
        speak(a, TestingNode.permit(1, 1, 1, b));
        write(a, "CREATE TABLE t (id int)").orTimeout(20, TimeUnit.SECONDS).join();

        // When more is written than any socket buffer holds
        write(a, "INSERT INTO t SELECT generate_series(1, 100000)").join();

        // Then the voice's walsender has sent less than it was acknowledged
        assertThat(a.one("SELECT sent_lsn < flush_lsn AND state = 'streaming' AND sync_state = 'quorum'"
                        + " FROM pg_stat_replication WHERE application_name = 'quantadb_voice'"))
                .isEqualTo("t");
        assertThat(a.one("SELECT application_name FROM pg_stat_replication WHERE application_name LIKE 'quantadb_b%'"))
                .isEqualTo("quantadb_b_1");

        // When the standby dies
        b.postgres.kill9();
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.told(Event.MemberGone.class)).isNotEmpty());
        CompletableFuture<Void> blocked = write(a, "INSERT INTO t VALUES (1)");

        // Then a commit waits, until it is back
        awaitWaitingCommit(a);
        assertThat(blocked).isNotDone();
        b.postgres.start();
        blocked.orTimeout(20, TimeUnit.SECONDS).join();
    }

    @Test
    void readsAlongAndAcknowledgesByItsOwnFlushWhereNobodyElseIsAsked() {
        // Given a primary alone
        TestingNode a = node("a", PostgresVersion.V15).asPrimary();
        speak(a, TestingNode.permit(1, 1, 0));

        // When it writes
        write(a, "CREATE TABLE t AS SELECT generate_series(1, 100000)")
                .orTimeout(20, TimeUnit.SECONDS)
                .join();

        // Then it is acknowledged, and never beyond the server's own flush
        assertThat(a.relay.voiceReported()).isLessThanOrEqualTo(Lsn.parse(a.one("SELECT pg_current_wal_flush_lsn()")));

        // When somebody is asked and then nobody again, the voice stands still and reads again
        a.relay.setPermit(TestingNode.permit(1, 2, 1, a));
        CompletableFuture<Void> blocked = write(a, "INSERT INTO t VALUES (1)");
        awaitWaitingCommit(a);
        assertThat(blocked).isNotDone();
        a.relay.setPermit(TestingNode.permit(1, 3, 0));

        // Then the commit passes
        blocked.orTimeout(20, TimeUnit.SECONDS).join();
    }

    @Test
    void acknowledgesNothingWithoutALeaseOrVoiceOrAfterAFreeze() {
        // Given a primary whose lease has run out
        TestingNode a = node("a", PostgresVersion.V15).asPrimary();
        a.lease.set(false);
        speak(a, TestingNode.permit(1, 1, 0));
        CompletableFuture<Void> leaseless = write(a, "CREATE TABLE t (id int)");
        awaitWaitingCommit(a);
        assertThat(a.relay.voiceReported()).isEqualTo(Lsn.NONE);

        // When it is won again, it passes
        a.lease.set(true);
        leaseless.orTimeout(20, TimeUnit.SECONDS).join();

        // When the voice is closed, a commit waits until it is open again
        a.relay.closeVoice();
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.one(
                                "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'quantadb_voice'"))
                        .isEqualTo("0"));
        CompletableFuture<Void> voiceless = write(a, "INSERT INTO t VALUES (1)");
        awaitWaitingCommit(a);
        a.relay.openVoice();
        voiceless.orTimeout(20, TimeUnit.SECONDS).join();

        // When the node has promised epoch 2, a permit of epoch 1 allows nothing
        a.relay.closeBelow(2);
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(a.told(Event.StreamsClosedBelow.class)).hasSize(1));
        CompletableFuture<Void> frozen = write(a, "INSERT INTO t VALUES (2)");
        awaitWaitingCommit(a);
        a.relay.setPermit(TestingNode.permit(1, 2, 0));
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(a.told(Event.PermitObeyed.class)).hasSize(2));
        assertThat(frozen).isNotDone();
    }

    @Test
    void goesOnByteForByteAfterABrokenNetworkAndServesNoOtherEpoch() {
        // Given a standby that streams
        List<TestingNode> all = cluster(PostgresVersion.V15, "a", "b");
        TestingNode a = all.get(0);
        TestingNode b = all.get(1);
        a.relay.serve(3);
        b.follow(a, 3, 1);
        speak(a, TestingNode.permit(3, 1, 1, b));
        write(a, "CREATE TABLE t (id int)").orTimeout(20, TimeUnit.SECONDS).join();
        String receiver = b.one("SELECT pid FROM pg_stat_wal_receiver");

        // When the network breaks while a commit is on its way
        a.plain().refusing(true);
        a.plain().cut();
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.told(Event.MemberGone.class)).isNotEmpty());
        CompletableFuture<Void> waiting = write(a, "INSERT INTO t SELECT generate_series(1, 50000)");
        awaitWaitingCommit(a);
        a.plain().refusing(false);

        // Then it arrives through the same receiver
        waiting.orTimeout(20, TimeUnit.SECONDS).join();
        assertThat(b.one("SELECT pid FROM pg_stat_wal_receiver")).isEqualTo(receiver);

        // When another epoch is served, the stream ends and none of the old one is taken
        a.relay.serve(4);
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(b.told(Event.StreamClosed.class))
                        .anySatisfy(closed -> assertThat(closed.reason()).contains("streams of epoch 4, not 3")));

        // When the standby has promised epoch 5, it follows nothing below
        b.relay.closeBelow(5);
        b.follow(a, 4, 1);
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(b.told(Event.StreamClosed.class))
                        .anySatisfy(closed -> assertThat(closed.reason()).contains("below the promise 5")));
        assertThat(b.relay.snapshot().members()).isEmpty();
    }

    @Test
    void neverCountsAStandbyThatIsAheadOfTheNewPrimarysFork() {
        // Given a commit that only c has got, and b promoted all the same
        List<TestingNode> all = cluster(PostgresVersion.V15, "a", "b", "c");
        TestingNode a = all.get(0);
        TestingNode b = all.get(1);
        TestingNode c = all.get(2);
        a.relay.serve(1);
        b.follow(a, 1, 1);
        c.follow(a, 1, 1);
        speak(a, TestingNode.permit(1, 1, 1, b, c));
        write(a, "CREATE TABLE t (id int)").orTimeout(20, TimeUnit.SECONDS).join();
        awaitStreaming(b, 1);
        b.relay.stopFollowing();
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.told(Event.MemberGone.class)).hasSize(1));
        write(a, "INSERT INTO t VALUES (1)").orTimeout(20, TimeUnit.SECONDS).join();
        a.postgres.kill9();
        c.relay.closeBelow(2);
        Lsn fork = b.replayed();
        b.one("SELECT pg_promote(false)");
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(b.one("SELECT pg_is_in_recovery()")).isEqualTo("f"));
        b.relay.serve(2);
        speak(b, TestingNode.permit(2, 2, 1, c));

        // When c is pointed at it, and writes go on there
        c.relay.follow(b.id, b.streams.address(), 2, 1, new Position(1, fork));
        CompletableFuture<Void> waiting = write(b, "INSERT INTO t SELECT generate_series(2, 5000)");
        awaitWaitingCommit(b);

        // Then the new primary refuses, the receiver is cut, and the commit is not acknowledged
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(c.told(Event.StreamClosed.class))
                        .anySatisfy(closed -> assertThat(closed.reason()).contains("refused to go on")));
        assertThat(waiting).isNotDone();
        assertThat(b.relay.voiceReported()).isLessThanOrEqualTo(fork);
        assertThat(c.one("SELECT count(*) FROM t")).isEqualTo("1");
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void theVoiceOfAPromotedStandbySpeaksOverTheSessionThatWasOpenedBefore(PostgresVersion version) {
        // Given
        List<TestingNode> all = cluster(version, "a", "b");
        TestingNode a = all.get(0);
        TestingNode b = all.get(1);
        a.relay.serve(1);
        b.follow(a, 1, 1);
        speak(a, TestingNode.permit(1, 1, 1, b));
        write(a, "CREATE TABLE t (id int)").orTimeout(20, TimeUnit.SECONDS).join();
        b.relay.stopFollowing();

        // When
        b.relay.prepareVoice();
        String walsenders = "SELECT coalesce(string_agg(pid::text, ','), '') FROM pg_stat_activity"
                + " WHERE backend_type = 'walsender'";
        await().atMost(LONG).until(() -> b.one(walsenders).matches("[0-9]+"));
        String ahead = b.one(walsenders);
        b.one("SELECT pg_promote(true)");
        b.relay.serve(2);
        speak(b, TestingNode.permit(2, 2, 0));

        // Then
        assertThat(b.one("SELECT pid FROM pg_stat_replication WHERE application_name = 'quantadb_voice'"))
                .isEqualTo(ahead);
        write(b, "INSERT INTO t VALUES (1)").orTimeout(20, TimeUnit.SECONDS).join();

        // And one that is opened ahead and not used is closed with the voice
        b.relay.prepareVoice();
        await().atMost(LONG).until(() -> b.one(walsenders).contains(","));
        b.relay.closeVoice();
        await().atMost(LONG).until(() -> b.one(walsenders).isEmpty());
    }

    @Test
    void carriesABaseBackupConnection() throws Exception {
        // Given a primary that serves epoch 1
        TestingNode a = node("a", PostgresVersion.V15).asPrimary();
        TestingNode b = node("b", PostgresVersion.V15);
        a.relay.serve(1);
        await().atMost(LONG).untilAsserted(() -> {
            RelaySnapshot now = a.relay.snapshot();
            assertThat(now.servedEpoch()).isEqualTo(1);
        });

        // When b opens one and asks who is there
        PeerStreams.Opened opened =
                b.relay.openBaseBackup(a.id, a.streams.address(), 1, 2).get(20, TimeUnit.SECONDS);
        List<String> heard = new CopyOnWriteArrayList<>();
        opened.channel().pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ByteBuf bytes = (ByteBuf) message;
                heard.add(bytes.toString(StandardCharsets.ISO_8859_1));
                bytes.release();
            }
        });
        opened.channel().config().setAutoRead(true);
        ByteBufAllocator allocator = opened.channel().alloc();
        var _ = opened.channel().write(WalMessages.startup(allocator, Map.of("user", "any", "replication", "true")));
        opened.channel()
                .writeAndFlush(WalMessages.query(allocator, "IDENTIFY_SYSTEM"))
                .sync();

        // Then the server there answers
        String system = a.one("SELECT system_identifier FROM pg_control_system()");
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(String.join("", heard)).contains("systemid", system));
        assertThat(new String(opened.reply(), StandardCharsets.UTF_8)).startsWith("15");
        assertThat(b.relay.openBaseBackup(a.id, a.streams.address(), 9, 2))
                .failsWithin(LONG)
                .withThrowableThat()
                .withMessageContaining("streams of epoch 1, not 9");
    }
}
