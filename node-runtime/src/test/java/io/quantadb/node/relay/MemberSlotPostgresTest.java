package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.wal.StrayHistories;
import io.quantadb.node.wal.TimelineHistory;
import io.quantadb.node.wal.WalReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Slots that real servers keep for the members that stream from them, with no other reason to keep WAL. */
final class MemberSlotPostgresTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final long SEGMENT = 16 << 20;

    private final EventLoopGroup bulk = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoopGroup network = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<TestingNode> nodes = new CopyOnWriteArrayList<>();

    @AfterEach
    void stop() {
        nodes.forEach(TestingNode::close);
        bulk.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
        network.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
    }

    private TestingNode node(String name, PostgresVersion version) {
        TestingNode node = new TestingNode(name, version, bulk, network);
        node.postgres
                .set("wal_keep_size", "0")
                .set("max_slot_wal_keep_size", "64MB")
                .set("min_wal_size", "32MB")
                .set("wal_retrieve_retry_interval", "20ms");
        nodes.add(node);
        return node;
    }

    /** Streams when this returns. */
    private TestingNode standbyOf(TestingNode primary, PostgresVersion version) {
        TestingNode standby = node("b", version).asStandby();
        primary.relay.serve(1);
        standby.follow(primary, 1, 1);
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(standby.told(Event.StreamOpened.class)).isNotEmpty());
        return standby;
    }

    /** Leaves the present segment, so that the server may do without it after the next checkpoint. */
    private static void fillSegments(TestingNode node, int count) {
        try (PgConnection session = node.postgres.connect()) {
            session.query("SET synchronous_commit = local", LONG);
            for (int i = 0; i < count; i++) {
                session.query("SELECT pg_logical_emit_message(true, 'test', 'x')", LONG);
                session.query("SELECT pg_switch_wal()", LONG);
            }
            session.query("CHECKPOINT", LONG);
        }
    }

    /** The same once, with no record behind it. */
    private static void leaveSegment(TestingNode node) {
        try (PgConnection session = node.postgres.connect()) {
            session.query("SELECT pg_switch_wal()", LONG);
        }
    }

    private static String slot(TestingNode node, String what) {
        return node.one("SELECT " + what + " FROM pg_replication_slots WHERE slot_name = 'quantadb_node_b'");
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void keepsWalForAMemberThatIsAwayFromWhereItWasOn(PostgresVersion version) {
        // Given a standby that streams, by a slot that follows it
        TestingNode a = node("a", version).asPrimary();
        TestingNode b = standbyOf(a, version);
        fillSegments(a, 1);
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(slot(a, "active AND restart_lsn = pg_current_wal_flush_lsn()"))
                        .isEqualTo("t"));

        // When it is away for some segments
        b.postgres.kill9();
        await().atMost(LONG).untilAsserted(() -> assertThat(slot(a, "active")).isEqualTo("f"));
        Lsn from = Lsn.parse(slot(a, "restart_lsn"));
        fillSegments(a, 3);
        String needed = "SELECT count(*) FROM pg_ls_waldir() WHERE name = pg_walfile_name('" + from + "')";
        assertThat(a.one(needed)).isEqualTo("1");
        b.postgres.start();

        // Then it goes on where it was
        String end = a.one("SELECT pg_current_wal_flush_lsn()");
        await().atMost(LONG).untilAsserted(() -> assertThat(b.replayed()).isGreaterThanOrEqualTo(Lsn.parse(end)));
        assertThat(b.told(Event.WalRemoved.class)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void aReceiverThatGoesOnBeyondWhatWasComparedCountsOnceThatWasDoneAnew(PostgresVersion version) {
        // Given a standby with all of a segment that was left early, and a primary that has nothing to say
        TestingNode a = node("a", version).asPrimary();
        TestingNode b = node("b", version).asStandby();
        a.relay.serve(1);
        b.follow(a, 1, 1);
        Lsn[] seen = new Lsn[1];
        await().atMost(LONG).pollInterval(Duration.ofMillis(200)).until(() -> {
            leaveSegment(a);
            seen[0] = b.replayed();
            return seen[0].value() % SEGMENT == 0;
        });
        Lsn end = seen[0];

        // When it was told of less, as when it died among the zeros at the segment's end
        b.relay.stopFollowing();
        b.postgres.kill9();
        b.postgres.start();
        b.relay.follow(a.id, a.streams.address(), 1, 1, new Position(1, end.plus(-SEGMENT / 4)));

        // Then it asks to compare anew before it streams
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(b.told(Event.StartUnvouched.class)).hasSize(1));

        // When that has found the end
        a.events.clear();
        b.relay.stopFollowing();
        b.relay.follow(a.id, a.streams.address(), 1, 1, new Position(1, end));

        // Then what it flushes counts, with not a byte of WAL more
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.told(Event.MemberProgress.class))
                        .anySatisfy(p -> assertThat(p.flushed()).isGreaterThanOrEqualTo(end)));
        assertThat(b.told(Event.StartUnvouched.class)).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void saysWhichTimelineIsRefusedUntilItsHistoryIsGone(PostgresVersion version) throws IOException {
        // Given a primary of timeline 3 that came from timeline 1, and a standby that has seen timeline 2 begin
        TestingNode a = node("a", version).asStandby();
        history(a, 2, "");
        a.postgres.query("SELECT pg_promote()");
        Lsn fork = TimelineHistory.read(a.postgres.dataDirectory(), 3).switchPointOf(1);
        TestingNode b = node("b", version);
        history(b, 2, "1\t%s\tno reason\n".formatted(fork));
        b.asStandby();

        // When
        a.relay.serve(1);
        b.follow(a, 1, 1);

        // Then
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(b.told(Event.TimelineRefused.class))
                        .as(b.postgres::log)
                        .contains(new Event.TimelineRefused(a.id, 1, 2)));

        // When what is not of its own timeline is removed
        b.postgres.kill9();
        Path data = b.postgres.dataDirectory();
        assertThat(new StrayHistories(data).removeBeyond(WalReader.findEnd(data)))
                .contains(TimelineHistory.fileName(2));
        b.events.clear();
        b.postgres.start();

        // Then it goes where the primary has gone
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(b.told(Event.StreamOpened.class))
                        .anySatisfy(opened -> assertThat(opened.timeline()).isEqualTo(3)));
        assertThat(b.told(Event.TimelineRefused.class)).isEmpty();
    }

    private static void history(TestingNode node, int timeline, String text) throws IOException {
        Path data = node.postgres.dataDirectory();
        Path file = data.resolve("pg_wal").resolve(TimelineHistory.fileName(timeline));
        Files.writeString(file, text);
        Files.getFileAttributeView(file, PosixFileAttributeView.class).setOwner(Files.getOwner(data));
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void saysThatWalIsGoneAfterTheBoundAndHasASlotAnewForTheClone(PostgresVersion version) {
        // Given a member that was away while more was written than is kept for it
        TestingNode a = node("a", version).asPrimary();
        TestingNode b = standbyOf(a, version);
        b.postgres.kill9();
        await().atMost(LONG).untilAsserted(() -> assertThat(slot(a, "active")).isEqualTo("f"));
        fillSegments(a, 7);
        assertThat(slot(a, "wal_status")).isEqualTo("lost");

        // When it comes back
        b.postgres.start();

        // Then it is told, by a server that refuses lost slots as by one that does not
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(b.told(Event.WalRemoved.class)).hasSizeGreaterThanOrEqualTo(3));

        // When it takes a base backup instead
        b.relay.stopFollowing();
        b.postgres.kill9();
        await().atMost(LONG).untilAsserted(() -> assertThat(slot(a, "active")).isEqualTo("f"));
        fillSegments(a, 1);
        String redo = a.one("SELECT redo_lsn FROM pg_control_checkpoint()");
        var opened = b.relay.openBaseBackup(a.id, a.streams.address(), 1, 2);
        assertThat(opened).succeedsWithin(LONG);

        // Then WAL is kept from there on
        assertThat(slot(a, "restart_lsn")).isEqualTo(redo);
        assertThat(slot(a, "wal_status")).isNotEqualTo("lost");
        var _ = opened.join().channel().close();
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void theVoiceOutlivesWalThatIsRemovedBeforeItHasReadIt(PostgresVersion version) {
        // Given a voice that reads
        TestingNode a = node("a", version).asPrimary();
        a.relay.setPermit(TestingNode.permit(1, 1, 0));
        a.relay.openVoice();
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.told(Event.VoiceOpened.class)).hasSize(1));

        // When segments go as soon as they are left, and commits wait for it meanwhile
        for (int i = 0; i < 20; i++) {
            fillSegments(a, 1);
        }
        CompletableFuture<Void> written = CompletableFuture.runAsync(() -> {
            try (PgConnection session = a.postgres.connect()) {
                session.query("CREATE TABLE t (id int)", LONG);
            }
        });

        // Then they pass, and it never counted as closed
        assertThat(written).succeedsWithin(LONG);
        assertThat(a.told(Event.VoiceClosed.class)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void aVoiceIsConnectedAnewWithoutBeingClosed(PostgresVersion version) {
        // Given
        String pid = "SELECT pid FROM pg_stat_replication"
                + " WHERE application_name = 'quantadb_voice' AND state = 'streaming'";
        TestingNode a = node("a", version).asPrimary();
        a.relay.setPermit(TestingNode.permit(1, 1, 0));
        a.relay.openVoice();
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.told(Event.VoiceOpened.class)).hasSize(1));
        String first = a.one(pid);

        // When
        a.relay.renewVoice();

        // Then
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(a.postgres.query(pid).singleOrNull())
                        .isNotNull()
                        .isNotEqualTo(first));
        assertThat(a.told(Event.VoiceClosed.class)).isEmpty();
        assertThat(a.told(Event.VoiceOpened.class)).hasSize(1);
    }
}
