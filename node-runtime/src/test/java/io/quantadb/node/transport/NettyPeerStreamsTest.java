package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams.Opened;
import io.quantadb.node.transport.PeerStreams.StreamRefused;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("FutureReturnValueIgnored") // what was written is looked for at the other end
class NettyPeerStreamsTest {
    private static final NodeId N1 = new NodeId("node1");
    private static final NodeId N2 = new NodeId("node2");
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path folder;

    private TestingCluster cluster;
    private NettyTransport t1;
    private NettyTransport t2;

    @BeforeEach
    void startTwo() {
        cluster = new TestingCluster(folder);
        t1 = cluster.transport("node1");
        t2 = cluster.transport("node2");
        t2.streams().start();
    }

    @AfterEach
    void end() throws Exception {
        cluster.close();
    }

    private CompletableFuture<Opened> open(StreamKind kind, String header) {
        return t1.streams().open(t2.streams().address(), N2, kind, header.getBytes(StandardCharsets.UTF_8), SOON);
    }

    /** Collects what comes; single writer, read after it is known to be done. */
    private static final class Collector extends ChannelInboundHandlerAdapter {
        private volatile String text = "";

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            var bytes = (ByteBuf) message;
            text = text.concat(bytes.toString(StandardCharsets.UTF_8));
            bytes.release();
        }
    }

    private static ByteBuf text(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }

    @Test
    void opensWithAHeaderAndAReplyAndKeepsWhatIsSentRightAfterIt() throws Exception {
        // Given an acceptor that writes right behind its reply
        var incoming = new AtomicReference<PeerStreams.Incoming>();
        var server = new Collector();
        t2.streams().setAcceptor(StreamKind.WAL, (in, verdict) -> {
            incoming.set(in);
            verdict.accept("yes".getBytes(StandardCharsets.UTF_8), channel -> {
                channel.pipeline().addLast(server);
                channel.config().setAutoRead(true);
                channel.writeAndFlush(text("glued to the reply"));
            });
        });
        // When the dialler's owner takes its time
        Opened opened = open(StreamKind.WAL, "slot 1").get(5, TimeUnit.SECONDS);
        assertThat(opened.channel().config().isAutoRead()).isFalse();
        opened.channel().writeAndFlush(text("from the dialler")).sync();
        await().until(() -> server.text.equals("from the dialler"));
        var client = new Collector();
        opened.channel().pipeline().addLast(client);
        opened.channel().config().setAutoRead(true);
        // Then
        await().until(() -> client.text.equals("glued to the reply"));
        assertThat(opened.peer()).isEqualTo(N2);
        assertThat(new String(opened.reply(), StandardCharsets.UTF_8)).isEqualTo("yes");
        assertThat(incoming.get().peer()).isEqualTo(N1);
        assertThat(incoming.get().kind()).isEqualTo(StreamKind.WAL);
        assertThat(new String(incoming.get().header(), StandardCharsets.UTF_8)).isEqualTo("slot 1");
        assertThat(incoming.get().remote().host()).isEqualTo("127.0.0.1");
        assertThat(opened.channel().pipeline().get(OutgoingStream.class)).isNull();
        opened.channel().close().sync();
        await().until(() -> t2.streams().acceptedStreams() == 0);
    }

    @Test
    void keepsBytesGluedToTheHeaderWhileTheVerdictIsPending() throws Exception {
        // Given
        var pending = new AtomicReference<PeerStreams.Verdict>();
        t2.streams().setAcceptor(StreamKind.SQL, (in, verdict) -> pending.set(verdict));
        var server = new Collector();
        // When
        try (var raw = RawTls.dial(t2.streams().address(), cluster.files("node1"))) {
            raw.write(StreamWire.opening(StreamKind.SQL, new byte[] {1}), text("startup"));
            await().until(() -> pending.get() != null);
            raw.write(text(" and more"));
            pending.get().accept(new byte[0], channel -> {
                channel.pipeline().addLast(server);
                channel.config().setAutoRead(true);
            });
            // Then
            await().until(() -> server.text.equals("startup and more"));
            assertThat(raw.read(3)).containsExactly(0, 0, 0);
            assertThatThrownBy(() -> pending.get().refuse("late", "no")).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void refusesWithACodeAndWords() {
        t2.streams().setAcceptor(StreamKind.JOIN, (in, verdict) -> verdict.refuse("not_leader", "ask node3"));
        assertThatThrownBy(() -> open(StreamKind.JOIN, "me").get(5, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        StreamRefused.class, e -> assertThat(e.code()).isEqualTo("not_leader"))
                .hasMessage("ask node3");
        assertThatThrownBy(() -> open(StreamKind.HELLO, "").get(5, TimeUnit.SECONDS))
                .cause()
                .isInstanceOfSatisfying(
                        StreamRefused.class, e -> assertThat(e.code()).isEqualTo("not_served"));
        t2.setPolicy(node -> false);
        assertThatThrownBy(() -> open(StreamKind.JOIN, "").get(5, TimeUnit.SECONDS))
                .cause()
                .isInstanceOfSatisfying(
                        StreamRefused.class, e -> assertThat(e.code()).isEqualTo("not_a_member"))
                .hasMessageContaining("add it first");
    }

    @Test
    void theWordsArriveThoughTheDiallerIsStillSending() throws Exception {
        // Given
        t2.streams().setAcceptor(StreamKind.WAL, (in, verdict) -> verdict.refuse("no", "not here"));
        // When
        try (var raw = RawTls.dial(t2.streams().address(), cluster.files("node1"))) {
            raw.write(StreamWire.opening(StreamKind.WAL, new byte[0]), Unpooled.wrappedBuffer(new byte[200_000]));
            // Then
            byte[] answer = raw.read(3 + 11);
            assertThat(new String(answer, 3, 11, StandardCharsets.UTF_8)).isEqualTo("no\0not here");
            assertThat(raw.readsToTheEnd()).isTrue();
        }
    }

    @Test
    void refusesAVerdictThatDoesNotComeAndShowsTheLateOwnerAClosedChannel() {
        // Given
        var verdict = new AtomicReference<PeerStreams.Verdict>();
        t2.streams().setAcceptor(StreamKind.JOIN, (in, v) -> verdict.set(v));
        // When
        assertThatThrownBy(() -> open(StreamKind.JOIN, "").get(5, TimeUnit.SECONDS))
                .cause()
                .isInstanceOfSatisfying(
                        StreamRefused.class, e -> assertThat(e.code()).isEqualTo("timeout"));
        var given = new AtomicReference<Channel>();
        verdict.get().accept(new byte[0], given::set);
        // Then
        await().until(() -> given.get() != null && !given.get().isActive());
    }

    @Test
    void limitsTheStreamsOfOnePeerAndOfAll() throws Exception {
        // Given
        t2.streams().setAcceptor(StreamKind.SQL, (in, verdict) -> verdict.accept(new byte[0], ch -> {}));
        var opened = new ArrayList<Opened>();
        for (int i = 0; i < 4; i++) {
            opened.add(open(StreamKind.SQL, "").get(5, TimeUnit.SECONDS));
        }
        // When, Then
        assertThatThrownBy(() -> open(StreamKind.SQL, "").get(5, TimeUnit.SECONDS))
                .cause()
                .isInstanceOfSatisfying(
                        StreamRefused.class, e -> assertThat(e.code()).isEqualTo("too_many"));
        // When one ends
        opened.getFirst().channel().close().sync();
        await().until(() -> t2.streams().acceptedStreams() == 3);
        // Then there is a place again
        assertThat(open(StreamKind.SQL, "").get(5, TimeUnit.SECONDS).peer()).isEqualTo(N2);
    }

    @Test
    void noticesThatItReachedAnotherNodeThanItMeant() {
        NettyTransport t3 = cluster.transport("node3");
        t3.streams().start();
        assertThatThrownBy(() -> t1.streams()
                        .open(t3.streams().address(), N2, StreamKind.WAL, new byte[0], SOON)
                        .get(5, TimeUnit.SECONDS))
                .cause()
                .isInstanceOf(IOException.class)
                .hasMessageContaining("dialled node 'node2'")
                .hasMessageContaining("reached node 'node3'");
    }

    @Test
    void takesWhoeverAnswersWhenNobodyIsExpected() throws Exception {
        t2.streams().setAcceptor(StreamKind.HELLO, (in, verdict) -> verdict.accept(in.header(), Channel::close));
        Opened opened = t1.streams()
                .open(t2.streams().address(), null, StreamKind.HELLO, new byte[] {5}, SOON)
                .get(5, TimeUnit.SECONDS);
        assertThat(opened.peer()).isEqualTo(N2);
        assertThat(opened.reply()).containsExactly(5);
        assertThat(opened.channel().closeFuture().await(5, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void saysWhyThereIsNoStreamWhereNobodyListens() {
        HostPort nobody = TestingCluster.freePort();
        assertThatThrownBy(() -> t1.streams()
                        .open(nobody, N2, StreamKind.WAL, new byte[0], SOON)
                        .get(5, TimeUnit.SECONDS))
                .cause()
                .isInstanceOf(IOException.class)
                .hasMessageContaining(nobody.toString())
                .hasMessageContaining("refused");
    }

    @Test
    void endsAtItsDeadlineWhenTheAcceptorIsSilent() throws Exception {
        // Given somebody who accepts TCP and says nothing
        try (var silent = new java.net.ServerSocket(0, 5, java.net.InetAddress.getLoopbackAddress())) {
            var at = new HostPort("127.0.0.1", silent.getLocalPort());
            // When, Then
            assertThatThrownBy(() -> t1.streams()
                            .open(at, N2, StreamKind.WAL, new byte[0], Duration.ofMillis(200))
                            .get(5, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(IOException.class)
                    .hasMessage(at + " did not answer within 200 ms");
        }
    }

    @Test
    void closesAnOpeningOfGarbageTooLongOrTooSlow() throws Exception {
        HostPort at = t2.streams().address();
        try (var garbage = RawTls.dial(at, cluster.files("node1"));
                var tooLong = RawTls.dial(at, cluster.files("node1"));
                var tooSlow = RawTls.dial(at, cluster.files("node1"))) {
            // When
            garbage.write(text("GET / HTTP/1.1\r\n\r\n"));
            tooLong.write(Unpooled.buffer()
                    .writeInt(StreamWire.MAGIC)
                    .writeByte(1)
                    .writeByte(2)
                    .writeShort(StreamWire.MAX_HEADER + 1));
            tooSlow.write(Unpooled.buffer().writeInt(StreamWire.MAGIC));
            // Then
            assertThat(garbage.readsToTheEnd()).isTrue();
            assertThat(tooLong.readsToTheEnd()).isTrue();
            assertThat(tooSlow.readsToTheEnd()).isTrue();
        }
        assertThat(cluster.warnings())
                .anyMatch(w -> w.contains("it does not begin a stream"))
                .anyMatch(w -> w.contains("a header of 16385 bytes is over 16384"))
                .anyMatch(w -> w.contains("it did not open a stream within 1500 ms"));
    }
}
