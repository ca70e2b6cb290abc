package io.quantadb.node.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StartupHandlerTest {
    private final Taken taken = new Taken();
    private final List<EmbeddedChannel> open = new ArrayList<>();

    @Test
    void takesAStartUpByteByByte() {
        // Given
        EmbeddedChannel channel = channel(false);
        byte[] packet = Wire.bytes(Wire.startup("user", "alice", "database", "shop"));
        // When
        for (byte b : packet) {
            channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {b}));
        }
        // Then
        assertThat(taken.packets).singleElement().satisfies(p -> {
            assertThat(p.user()).isEqualTo("alice");
            assertThat(p.database()).isEqualTo("shop");
        });
    }

    @Test
    void keepsWhatFollowsTheStartUp() {
        // Given
        EmbeddedChannel channel = channel(false);
        // When
        channel.writeInbound(Wire.join(Wire.startup("user", "alice"), Wire.query("SELECT 1")));
        // Then
        assertThat(Wire.bytes(taken.handlers.getFirst().takeRest())).isEqualTo(Wire.bytes(Wire.query("SELECT 1")));
    }

    @Test
    void saysNoToTlsAndGssWhenTheyAreOffAndGoesOn() {
        // Given
        EmbeddedChannel channel = channel(false);
        // When
        channel.writeInbound(Wire.request(StartupPacket.GSSENC_REQUEST));
        channel.writeInbound(Wire.request(StartupPacket.SSL_REQUEST));
        channel.writeInbound(Wire.startup("user", "alice"));
        // Then
        assertThat(Wire.sent(channel)).isEqualTo(new byte[] {'N', 'N'});
        assertThat(taken.packets).hasSize(1);
    }

    @Test
    void refusesBytesThatCameBehindAnEncryptionRequestUnasked() {
        // Given
        EmbeddedChannel channel = channel(false);
        // When
        channel.writeInbound(Wire.join(Wire.request(StartupPacket.SSL_REQUEST), Wire.startup("user", "alice")));
        // Then
        assertThat(Wire.reportOf(Wire.sent(channel)).get(Report.CODE)).isEqualTo("08P01");
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void refusesAPlainStartUpWhereTlsIsRequired() {
        // Given
        EmbeddedChannel channel = channel(true);
        // When
        channel.writeInbound(Wire.startup("user", "alice"));
        // Then
        Report report = Wire.reportOf(Wire.sent(channel));
        assertThat(report.get(Report.CODE)).isEqualTo("28000");
        assertThat(report.get(Report.HINT)).contains("sslmode=require");
        assertThat(taken.packets).isEmpty();
    }

    @Test
    void refusesASecondRequestAndAnotherProtocolAndBadLengths() {
        for (ByteBuf bad : List.of(
                Wire.request(StartupPacket.SSL_REQUEST),
                Unpooled.buffer().writeInt(8).writeInt(2 << 16),
                Unpooled.buffer().writeInt(7).writeInt(0),
                Unpooled.buffer().writeInt(10_001).writeInt(3 << 16),
                Unpooled.buffer().writeInt(-1).writeInt(3 << 16),
                Unpooled.buffer().writeInt(9).writeInt(3 << 16).writeByte('u'))) {
            EmbeddedChannel channel = channel(false);
            channel.writeInbound(Wire.request(StartupPacket.SSL_REQUEST));
            Wire.sent(channel);
            channel.writeInbound(bad);
            assertThat(Wire.reportOf(Wire.sent(channel)).get(Report.CODE)).isIn("08P01", "0A000");
            assertThat(channel.isOpen()).isFalse();
        }
    }

    @Test
    void passesACancelRequestOn() {
        // Given
        EmbeddedChannel channel = channel(true);
        // When
        channel.writeInbound(Wire.cancel(7, 42));
        // Then
        assertThat(taken.cancels).containsExactly(new CancelKey(7, "0000002a"));
    }

    @Test
    void closesAConnectionThatDoesNotStartUpInTime() {
        // Given
        EmbeddedChannel channel = channel(false);
        channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {0, 0}));
        // When
        channel.advanceTimeBy(11, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        // Then
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void givesAConnectionThatHasStartedUpItsTime() {
        // Given
        EmbeddedChannel channel = channel(false);
        channel.writeInbound(Wire.startup("user", "alice"));
        // When
        channel.advanceTimeBy(11, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        // Then
        assertThat(channel.isOpen()).isTrue();
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void survivesAnyBytes(long seed) {
        // Given
        var random = new Random(seed);
        EmbeddedChannel channel = channel(random.nextBoolean());
        byte[] bytes = switch (random.nextInt(3)) {
            case 0 -> Wire.bytes(Wire.startup("user", "alice", "replication", "true", "options", "-c a=b"));
            case 1 -> Wire.bytes(Wire.join(Wire.request(StartupPacket.SSL_REQUEST), Wire.startup("user", "a")));
            default -> new byte[random.nextInt(300)];
        };
        if (random.nextInt(3) == 0) {
            random.nextBytes(bytes);
        } else {
            for (int i = 0; bytes.length > 0 && i < random.nextInt(4); i++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
        }
        // When
        assertThatCode(() -> {
                    for (int at = 0; at < bytes.length && channel.isOpen(); ) {
                        int n = Math.min(bytes.length - at, 1 + random.nextInt(40));
                        channel.writeInbound(Unpooled.copiedBuffer(bytes, at, n));
                        at += n;
                    }
                })
                .doesNotThrowAnyException();
        // Then
        channel.checkException();
        assertThat(taken.packets.size() + taken.cancels.size()).isLessThanOrEqualTo(1);
        channel.finishAndReleaseAll();
    }

    static LongStream seeds() {
        return LongStream.range(0, 300);
    }

    private EmbeddedChannel channel(boolean plainRefused) {
        var channel = new EmbeddedChannel(new StartupHandler(null, plainRefused, true, Duration.ofSeconds(10), taken));
        open.add(channel);
        return channel;
    }

    @AfterEach
    void releaseAll() {
        open.forEach(EmbeddedChannel::finishAndReleaseAll);
    }

    private static final class Taken implements StartupHandler.Next {
        private final List<StartupPacket> packets = new ArrayList<>();
        private final List<StartupHandler> handlers = new ArrayList<>();
        private final List<CancelKey> cancels = new ArrayList<>();

        @Override
        public void onStartup(StartupHandler handler, ChannelHandlerContext ctx, StartupPacket packet) {
            handlers.add(handler);
            packets.add(packet);
        }

        @Override
        public void onCancel(ChannelHandlerContext ctx, ByteBuf packet) {
            cancels.add(CancelKey.ofRequest(packet));
            packet.release();
        }
    }
}
