package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who is let in at all; there is no server behind it, so that whoever is let in is told so. */
class ServedStreamsTest {
    private static final NodeId SELF = new NodeId("n1");
    private static final NodeId MEMBER = new NodeId("n2");

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final RelayContext context = new RelayContext(
            RelayConfig.of(SELF, 1, Path.of("/nowhere"), 1, Path.of("/nowhere"), 2, "x", "18.0"),
            group.next(),
            System::nanoTime,
            _ -> {});
    private final ServedStreams streams = new ServedStreams(context, () -> {});
    private final List<String> refusals = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    @Test
    void refusesAnotherIncarnationOfAMemberAndWhoeverIsNone() {
        // Given
        serve(7, Map.of(MEMBER, 22L));

        // When
        open(MEMBER, 21, 7);
        open(new NodeId("n3"), 22, 7);

        // Then
        awaitRefusals("no_member", "no_member");
    }

    @Test
    void letsThePresentIncarnationInAndNobodyOfAnotherEpoch() {
        // Given
        serve(7, Map.of(MEMBER, 22L));

        // When
        open(MEMBER, 22, 6);
        open(MEMBER, 22, 7);

        // Then: the last was let in as far as the server that is not there
        awaitRefusals("wrong_epoch", "not_ready");
    }

    @Test
    void refusesEverybodyBelowThePromise() {
        // Given
        serve(7, Map.of(MEMBER, 22L));
        context.loop().execute(() -> streams.closeBelow(8));

        // When
        open(MEMBER, 22, 7);

        // Then
        awaitRefusals("wrong_epoch");
    }

    @Test
    void letsInWhoAskedBeforeTheEpochWasServed() {
        // Given
        serve(7, Map.of(MEMBER, 22L));
        open(MEMBER, 22, 8);
        open(MEMBER, 22, 6);
        awaitRefusals("wrong_epoch");

        // When
        context.loop().execute(() -> streams.serve(8));

        // Then: as far as the server that is not there
        awaitRefusals("wrong_epoch", "not_ready");
    }

    @Test
    void refusesWhoWaitedForAnEpochThatNeverCame() {
        // Given
        serve(7, Map.of(MEMBER, 22L));

        // When: the second of one member ends the first, and the epoch after it the second
        open(MEMBER, 22, 8);
        open(MEMBER, 22, 9);
        awaitRefusals("wrong_epoch");
        context.loop().execute(() -> streams.serve(10));

        // Then
        awaitRefusals("wrong_epoch", "wrong_epoch");
    }

    @Test
    void letsNobodyButTheFetcherInWhoWaitedForAnEpochThatIsOnlyFetchedIn() {
        // Given
        NodeId fetcher = new NodeId("n3");
        serve(7, Map.of(MEMBER, 22L, fetcher, 33L));
        open(MEMBER, 22, 8);
        open(fetcher, 33, 8);

        // When
        context.loop().execute(() -> streams.serveFetch(fetcher, 8));

        // Then: as far as the server that is not there
        awaitRefusals("wrong_epoch", "not_ready");
    }

    @Test
    void letsNobodyInWhoWaitedAndIsNoMemberByThen() {
        // Given
        serve(7, Map.of(MEMBER, 22L));
        open(MEMBER, 22, 8);

        // When
        context.loop().execute(() -> {
            streams.admit(Map.of(MEMBER, 23L));
            streams.serve(8);
        });

        // Then
        awaitRefusals("no_member");
    }

    @Test
    void aStandbyLetsInOnlyWhomItFeedsAndOnlyForWal() {
        // Given
        NodeId other = new NodeId("n3");
        context.loop().execute(() -> {
            streams.admit(Map.of(MEMBER, 22L, other, 33L));
            streams.feed(7, Set.of(MEMBER));
        });

        // When
        open(other, 33, 7);
        open(MEMBER, 22, 7, StreamKind.BASE_BACKUP);
        open(MEMBER, 22, 7, StreamKind.REWIND);
        open(MEMBER, 22, 6);
        open(MEMBER, 22, 7);

        // Then: the last was let in as far as the server that is not there
        awaitRefusals("not_fed", "not_fed", "not_fed", "wrong_epoch", "not_ready");
    }

    @Test
    void aStandbyThatFeedsNobodyAnyMoreOrHasPromisedALaterEpochLetsNobodyIn() {
        // Given
        serve(0, Map.of(MEMBER, 22L));

        // When
        context.loop().execute(() -> streams.feed(7, Set.of(MEMBER)));
        context.loop().execute(() -> streams.closeBelow(8));
        open(MEMBER, 22, 7);
        context.loop().execute(() -> streams.feed(7, Set.of(MEMBER)));
        open(MEMBER, 22, 7);

        // Then
        awaitRefusals("wrong_epoch", "wrong_epoch");
    }

    @Test
    void aPrimaryServesWhoeverItFedAsAStandbyLikeAllOthers() {
        // Given
        NodeId other = new NodeId("n3");
        context.loop().execute(() -> {
            streams.admit(Map.of(MEMBER, 22L, other, 33L));
            streams.feed(7, Set.of(MEMBER));
            streams.serve(8);
        });

        // When
        open(other, 33, 8);

        // Then: as far as the server that is not there
        awaitRefusals("not_ready");
    }

    private void serve(long epoch, Map<NodeId, Long> members) {
        context.loop().execute(() -> {
            streams.serve(epoch);
            streams.admit(members);
        });
    }

    private void open(NodeId node, long incarnation, long epoch) {
        open(node, incarnation, epoch, StreamKind.WAL);
    }

    private void open(NodeId node, long incarnation, long epoch, StreamKind kind) {
        byte[] header =
                new StreamHeader(new MemberRef(node, 2), incarnation, epoch, new Position(1, new Lsn(100))).encode();
        var incoming = new PeerStreams.Incoming(node, kind, header, new HostPort("127.0.0.1", 1));
        context.loop()
                .execute(() -> streams.onOpen(incoming, new PeerStreams.Verdict() {
                    @Override
                    public void accept(byte[] reply, Consumer<Channel> owner) {
                        refusals.add("accepted");
                    }

                    @Override
                    public void refuse(String code, String words) {
                        refusals.add(code);
                    }
                }));
    }

    private void awaitRefusals(String... codes) {
        await().atMost(Duration.ofSeconds(5)).until(() -> refusals.size() >= codes.length);
        assertThat(refusals).containsExactly(codes);
    }
}
