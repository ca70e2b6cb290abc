package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.quantadb.node.common.NodeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings({"FutureReturnValueIgnored", "NonAtomicVolatileUpdate"}) // one writer, the event loop
class StreamFlowTest {
    private static final long TOTAL = 50L * 1024 * 1024;
    private static final int CHUNK = 32 * 1024;

    @TempDir
    private Path folder;

    private TestingCluster cluster;

    @BeforeEach
    void makeCluster() {
        cluster = new TestingCluster(folder);
    }

    @AfterEach
    void end() throws Exception {
        cluster.close();
    }

    /** Sends numbered bytes while the channel is writable, and checks those that come. Event loop only. */
    private static final class Flow extends ChannelInboundHandlerAdapter {
        private volatile long sent;
        private volatile long received;
        private volatile long mostPending;
        private volatile boolean wrong;

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            ctx.executor().execute(() -> pump(ctx));
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            pump(ctx);
        }

        private void pump(ChannelHandlerContext ctx) {
            while (sent < TOTAL && ctx.channel().isWritable()) {
                ByteBuf chunk = ctx.alloc().buffer(CHUNK);
                for (int i = 0; i < CHUNK; i += 8) {
                    chunk.writeLong(sent + i);
                }
                sent = sent + CHUNK;
                ctx.writeAndFlush(chunk);
                mostPending = Math.max(
                        mostPending, ctx.channel().unsafe().outboundBuffer().totalPendingWriteBytes());
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            var bytes = (ByteBuf) message;
            // Whole longs where they lie whole; the offset in the stream is their value.
            int skip = (int) ((8 - received % 8) % 8);
            for (int at = bytes.readerIndex() + skip; at + 8 <= bytes.writerIndex(); at += 8) {
                wrong |= bytes.getLong(at) != received + (at - bytes.readerIndex());
            }
            received = received + bytes.readableBytes();
            bytes.release();
        }
    }

    @Test
    @Timeout(60)
    void carriesFiftyMegabytesEachWayAndHoldsBackASenderWhoseReaderWaits() throws Exception {
        // Given
        NettyTransport t1 = cluster.transport("node1");
        NettyTransport t2 = cluster.transport("node2");
        var server = new Flow();
        var client = new Flow();
        var accepted = new AtomicReference<Channel>();
        t2.streams().start();
        t2.streams()
                .setAcceptor(
                        StreamKind.WAL,
                        (in, verdict) -> verdict.accept(new byte[0], channel -> {
                            channel.pipeline().addLast(server); // writes at once, reads nothing yet
                            accepted.set(channel);
                        }));
        // When
        var opened = t1.streams()
                .open(t2.streams().address(), new NodeId("node2"), StreamKind.WAL, new byte[0], Duration.ofSeconds(5))
                .get(5, TimeUnit.SECONDS);
        opened.channel().pipeline().addLast(client);
        // Then both stop long before the end: neither reads
        await().until(() -> !opened.channel().isWritable()
                && accepted.get() != null
                && !accepted.get().isWritable());
        assertThat(client.sent).isLessThan(TOTAL / 2);
        assertThat(server.sent).isLessThan(TOTAL / 2);
        assertThat(client.received + server.received).isZero();
        // When they read
        opened.channel().config().setAutoRead(true);
        accepted.get().config().setAutoRead(true);
        // Then everything comes, in order, and little waits in memory meanwhile
        await().atMost(Duration.ofSeconds(40)).until(() -> client.received == TOTAL && server.received == TOTAL);
        assertThat(client.wrong || server.wrong).isFalse();
        long bound = Sockets.STREAM_MARKS.high() + 4L * CHUNK;
        assertThat(client.mostPending).isLessThan(bound);
        assertThat(server.mostPending).isLessThan(bound);
    }
}
