package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.relay.WalMessages.Status;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of a standby's statuses on their way: which hurry, which wait, and who hears first. */
final class StatusFlowTest {
    private static final NodeId MEMBER = new NodeId("n2");

    private final EmbeddedChannel peer = new EmbeddedChannel();
    private final EmbeddedChannel server = new EmbeddedChannel();
    private final List<String> heard = new ArrayList<>();
    private final RelayContext context = new RelayContext(
            RelayConfig.of(new NodeId("n1"), 1, Path.of("/nowhere"), 1, Path.of("/nowhere"), 2, "x", "18.0"),
            peer.eventLoop(),
            this::now,
            _ -> {});
    private long nanos = 1;

    private long now() {
        return nanos;
    }

    @BeforeEach
    void stopTime() {
        peer.freezeTime();
    }

    @AfterEach
    void close() {
        peer.finishAndReleaseAll();
        server.finishAndReleaseAll();
    }

    // ---- at the standby

    @Test
    void aStandbySaysAtOnceWhatIsFlushed() {
        // Given
        UpstreamStream stream = streaming();

        // When / Then
        assertThat(take(stream, status(150, 140, 100))).isTrue();
        assertThat(take(stream, status(150, 150, 100))).isTrue();
        assertThat(take(stream, status(150, 150, 120))).isTrue();
    }

    @Test
    void aStandbyDoesNotSayThatMoreIsWrittenWhenTheFlushFollows() {
        // Given
        UpstreamStream stream = streaming();
        boolean first = take(stream, status(140, 140, 100));

        // When
        boolean written = take(stream, status(150, 140, 110));
        boolean flushed = take(stream, status(150, 150, 110));
        pass(11);

        // Then nothing else is said later
        assertThat(first).isTrue();
        assertThat(written).isFalse();
        assertThat(flushed).isTrue();
        assertThat(sent(peer)).isEmpty();
    }

    @Test
    void aStandbySaysThatMoreIsWrittenWhenNoFlushFollows() {
        // Given
        UpstreamStream stream = streaming();
        boolean first = take(stream, status(140, 140, 100));

        // When
        boolean written = take(stream, status(145, 140, 110)) || take(stream, status(150, 140, 110));
        pass(9);
        List<Status> early = sent(peer);
        pass(2);

        // Then
        assertThat(first).isTrue();
        assertThat(written).isFalse();
        assertThat(early).isEmpty();
        assertThat(sent(peer)).containsExactly(new Status(new Lsn(150), new Lsn(140), new Lsn(110), false));
    }

    @Test
    void aStandbyPassesOnAtOnceWhatAsksForAReply() {
        // Given
        UpstreamStream stream = streaming();
        boolean first = take(stream, status(140, 140, 100));

        // When
        boolean asking = take(stream, new Status(new Lsn(150), new Lsn(140), new Lsn(100), true));

        // Then
        assertThat(first).isTrue();
        assertThat(asking).isTrue();
    }

    @Test
    void aStatusSaysNoMoreThanThisStreamDelivered() {
        // Given
        UpstreamStream stream = streaming();
        ByteBuf frame = WalMessages.status(peer.alloc(), status(9_000, 8_000, 7_000));

        // When
        boolean passes = stream.takeStatus(frame);

        // Then
        assertThat(passes).isTrue();
        assertThat(WalMessages.status(frame)).isEqualTo(status(200, 200, 200));
        frame.release();
    }

    /** A stream that has delivered from 100 to 200. */
    private UpstreamStream streaming() {
        UpstreamStream stream = new UpstreamStream(
                context, new PeerStreams.Opened(peer, MEMBER, new byte[0]), new Lsn(100), new TestingOwner());
        stream.resume(new StartCommand("", new Lsn(100), 1));
        stream.tracker.onServer(WalMessages.COPY_BOTH, Unpooled.EMPTY_BUFFER);
        stream.tracker.onServer(WalMessages.COPY_DATA, ReplicationTrackerTest.wal(100, 200, 100));
        stream.resuming = false;
        peer.releaseOutbound();
        return stream;
    }

    private boolean take(UpstreamStream stream, Status status) {
        ByteBuf frame = WalMessages.status(peer.alloc(), status);
        try {
            return stream.takeStatus(frame);
        } finally {
            frame.release();
        }
    }

    // ---- at the primary

    @Test
    void thePrimaryLetsTheVoiceHearBeforeTheMembersOwnWalsender() {
        // Given
        served();

        // When
        peer.writeInbound(WalMessages.status(peer.alloc(), status(200, 200, 100)));

        // Then
        assertThat(heard).containsExactly("moved before 0 statuses");
        assertThat(sent(server)).hasSize(1);
    }

    @Test
    void thePrimaryBothersTheMembersWalsenderOnlyNowAndThenAndTheVoiceEachTime() {
        // Given
        served();
        peer.writeInbound(WalMessages.status(peer.alloc(), status(150, 150, 100)));
        List<Status> first = sent(server);

        // When two more come within the interval
        peer.writeInbound(WalMessages.status(peer.alloc(), status(160, 160, 100)));
        peer.writeInbound(WalMessages.status(peer.alloc(), status(170, 170, 100)));
        List<Status> soon = sent(server);
        pass(11);

        // Then
        assertThat(first).hasSize(1);
        assertThat(soon).isEmpty();
        assertThat(sent(server)).containsExactly(status(160, 160, 100), status(170, 170, 100));
        assertThat(heard).hasSize(3);
    }

    @Test
    void thePrimaryAsksItsRuleWithEveryStatusSinceItsOwnFlushMayHaveMoved() {
        // Given
        served();
        peer.writeInbound(WalMessages.status(peer.alloc(), status(150, 150, 100)));

        // When
        peer.writeInbound(WalMessages.status(peer.alloc(), status(150, 150, 100)));

        // Then
        assertThat(heard).hasSize(2);
    }

    @Test
    void thePrimaryPassesOnAtOnceWhatItsServerAskedFor() {
        // Given
        served();
        peer.writeInbound(WalMessages.status(peer.alloc(), status(150, 150, 100)));
        List<Status> before = sent(server);

        // When
        server.writeInbound(WalMessages.keepalive(peer.alloc(), new Lsn(200), true));
        peer.writeInbound(WalMessages.status(peer.alloc(), status(160, 160, 100)));
        List<Status> answer = sent(server);
        peer.writeInbound(WalMessages.status(peer.alloc(), status(170, 170, 100)));

        // Then the answer alone
        assertThat(before).hasSize(1);
        assertThat(answer).containsExactly(status(160, 160, 100));
        assertThat(sent(server)).isEmpty();
    }

    @Test
    void thePrimaryPassesOnAtOnceWhatWantsAnAnswer() {
        // Given
        served();
        peer.writeInbound(WalMessages.status(peer.alloc(), status(150, 150, 100)));
        peer.writeInbound(WalMessages.status(peer.alloc(), status(160, 160, 100)));
        List<Status> before = sent(server);

        // When
        Status asks = new Status(new Lsn(160), new Lsn(160), new Lsn(100), true);
        peer.writeInbound(WalMessages.status(peer.alloc(), asks));

        // Then it and what waited before it
        assertThat(before).hasSize(1);
        assertThat(sent(server)).containsExactly(status(160, 160, 100), asks);
    }

    /** A member's stream over which 100 to 200 were sent. */
    private void served() {
        StreamHeader header = new StreamHeader(new MemberRef(MEMBER, 1), 1, 7, new Position(1, new Lsn(100)));
        peer.config().setAutoRead(false);
        server.config().setAutoRead(false);
        new ServedStream(context, header, StreamKind.WAL, peer, server, "18.0", null, null, new ServedStream.Owner() {
                    @Override
                    public void onMoved() {
                        heard.add("moved before " + server.outboundMessages().size() + " statuses");
                    }

                    @Override
                    public void onEnded(ServedStream stream) {
                        heard.add("ended");
                    }
                })
                .start();
        peer.writeInbound(WalMessages.query(peer.alloc(), "START_REPLICATION 0/64 TIMELINE 1"));
        server.writeInbound(Unpooled.buffer().writeByte('W').writeInt(7).writeZero(3));
        server.writeInbound(ReplicationTrackerTest.wal(100, 200, 100));
        peer.releaseOutbound();
        server.releaseOutbound();
    }

    // ----

    private static Status status(long written, long flushed, long applied) {
        return new Status(new Lsn(written), new Lsn(flushed), new Lsn(applied), false);
    }

    /** Statuses that have left the channel since the last call. */
    private static List<Status> sent(EmbeddedChannel channel) {
        List<Status> out = new ArrayList<>();
        for (ByteBuf frame = channel.readOutbound(); frame != null; frame = channel.readOutbound()) {
            out.add(WalMessages.status(frame));
            frame.release();
        }
        return out;
    }

    private void pass(long millis) {
        nanos += TimeUnit.MILLISECONDS.toNanos(millis);
        peer.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        peer.runPendingTasks();
    }

    private static final class TestingOwner implements Link.Owner {
        @Override
        public void onBytes(Link link, ByteBuf bytes) {
            bytes.release();
        }

        @Override
        public void onBatchEnd(Link link) {}

        @Override
        public void onWritable(Link link) {}

        @Override
        public void onClosed(Link link, String reason) {}
    }
}
