package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeerFrameDecoderTest {
    private final PeerFrameDecoder decoder = new PeerFrameDecoder();
    private final EmbeddedChannel channel = new EmbeddedChannel(decoder);

    @Test
    void cutsFramesThatArriveByteByByte() {
        // Given
        decoder.helloDone();
        ByteBuf wire = Unpooled.wrappedBuffer(
                PeerFrame.encode((byte) 7, new byte[] {1, 2, 3}),
                PeerFrame.encode((byte) 8, new byte[0]),
                PeerFrame.encode((byte) 9, new byte[70_000]));
        var pieces = new ArrayList<ByteBuf>();
        // When
        while (wire.isReadable()) {
            ByteBuf one = Unpooled.directBuffer(1).writeByte(wire.readByte());
            pieces.add(one);
            channel.writeInbound(one);
        }
        // Then
        assertThat(read())
                .satisfies(
                        f -> assertThat(f.kind()).isEqualTo((byte) 7),
                        f -> assertThat(f.payload()).containsExactly(1, 2, 3));
        assertThat(read().payload()).isEmpty();
        assertThat(read().payload()).hasSize(70_000);
        assertThat(read()).isNull();
        assertThat(channel.finish()).isFalse();
        assertThat(pieces).allMatch(piece -> piece.refCnt() == 0);
    }

    private PeerFrame read() {
        return channel.readInbound();
    }

    @Test
    void takesOnlySmallFramesBeforeTheHello() {
        ByteBuf wire = PeerFrame.encode(PeerFrame.HELLO, new byte[PeerFrameDecoder.MAX_HELLO_PAYLOAD + 1]);
        assertThatThrownBy(() -> channel.writeInbound(wire)).isInstanceOf(CorruptedFrameException.class);
        assertThat(wire.refCnt()).isZero();
        channel.finishAndReleaseAll();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, PeerFrame.MAX_PAYLOAD + PeerFrame.HEAD_BYTES + 1, 0x7FFF_FFFFL, 0xFFFF_FFFFL})
    void refusesALengthOutsideItsLimitsAndSkipsWhatFollows(long length) {
        // Given
        decoder.helloDone();
        // When, Then
        assertThatThrownBy(() -> channel.writeInbound(Unpooled.buffer().writeInt((int) length)))
                .isInstanceOf(CorruptedFrameException.class)
                .hasMessageContaining(Long.toString(length));
        ByteBuf good = PeerFrame.encode((byte) 5, new byte[] {1});
        assertThat(channel.writeInbound(good)).isFalse();
        assertThat(good.refCnt()).isZero();
        channel.finishAndReleaseAll();
    }

    @Test
    void refusesAVersionThatItDoesNotKnow() {
        assertThatThrownBy(() -> channel.writeInbound(
                        Unpooled.buffer().writeInt(2).writeByte(9).writeByte(1)))
                .isInstanceOf(CorruptedFrameException.class)
                .hasMessageContaining("version 9");
        channel.finishAndReleaseAll();
    }

    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @Timeout(10)
    void survivesRandomBytes(long seed) {
        // Given
        var random = new Random(seed);
        var fuzzed = new PeerFrameDecoder();
        var ch = new EmbeddedChannel(fuzzed);
        fuzzed.helloDone();
        long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
        int frames = 0;
        // When
        for (int i = 0; i < 2_000 && System.nanoTime() < end; i++) {
            ByteBuf in = Unpooled.directBuffer();
            if (random.nextInt(10) > 0) {
                in.writeInt(PeerFrame.HEAD_BYTES + random.nextInt(400))
                        .writeByte(random.nextInt(200) == 0 ? 2 : 1)
                        .writeByte(random.nextInt());
            }
            byte[] noise = new byte[random.nextInt(600)];
            if (random.nextInt(50) == 0) {
                random.nextBytes(noise);
            }
            in.writeBytes(noise);
            try {
                ch.writeInbound(in);
            } catch (DecoderException expected) {
                fuzzed = new PeerFrameDecoder();
                ch.finishAndReleaseAll();
                ch = new EmbeddedChannel(fuzzed);
                fuzzed.helloDone();
            }
            for (PeerFrame f = ch.readInbound(); f != null; f = ch.readInbound()) {
                frames++;
                assertThat(f.payload().length).isLessThanOrEqualTo(PeerFrame.MAX_PAYLOAD);
            }
            // Then
            assertThat(in.refCnt()).isLessThanOrEqualTo(1);
        }
        ch.finishAndReleaseAll();
        assertThat(frames).isPositive();
    }

    @Test
    void readsBackAHello() {
        var hello = new Hello(1, -42L, new NodeId("node-1.example"), new HostPort("10.0.0.7", 7432));
        assertThat(Hello.decode(hello.encode())).isEqualTo(hello);
    }

    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {11, 12, 13})
    void refusesAHelloThatIsNone(long seed) {
        var random = new Random(seed);
        byte[] good = new Hello(1, 5, new NodeId("node1"), null).encode();
        for (int i = 0; i < 2_000; i++) {
            byte[] bytes = java.util.Arrays.copyOf(good, random.nextInt(good.length + 4));
            for (int flips = random.nextInt(4); flips >= 0 && bytes.length > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                assertThat(Hello.decode(bytes).version()).isPositive();
            } catch (CorruptedFrameException e) {
                assertThat(e).hasMessageContaining("hello");
            }
        }
    }
}
