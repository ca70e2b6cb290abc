package io.quantadb.node.pgwire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameDecoderTest {
    private static List<WirePart> drain(EmbeddedChannel channel) {
        List<WirePart> parts = new ArrayList<>();
        for (WirePart part = channel.readInbound(); part != null; part = channel.readInbound()) {
            parts.add(part);
        }
        return parts;
    }

    @Test
    void cutsMessagesThatArriveByteByByte() {
        // Given
        EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(Limits.SESSION));
        ByteBuf bytes = Unpooled.wrappedBuffer(Messages.query("SELECT 1"), Messages.readyForQuery('I'));

        // When
        while (bytes.isReadable()) {
            channel.writeInbound(bytes.readBytes(1));
        }

        // Then
        List<WirePart> parts = drain(channel);
        assertThat(parts).hasSize(2).allMatch(WirePart::last);
        assertThat(((Frame) parts.get(0)).tag()).isEqualTo('Q');
        assertThat(Messages.parseQuery(((Frame) parts.get(0)).body())).isEqualTo("SELECT 1");
        assertThat(Messages.parseReadyForQuery(((Frame) parts.get(1)).body())).isEqualTo('I');
        parts.forEach(part -> assertThat(part.release()).isTrue());
        channel.finishAndReleaseAll();
    }

    @Test
    void handsABigMessageOnInPieces() {
        // Given
        EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(new Limits(1 << 20, 100)));
        ByteBuf big = Messages.copyData(Unpooled.wrappedBuffer(new byte[1000]));
        ByteBuf copy = big.copy();

        // When
        channel.writeInbound(big.readRetainedSlice(5));
        channel.writeInbound(big.readRetainedSlice(700));
        channel.writeInbound(Unpooled.wrappedBuffer(big, Messages.copyDone()));

        // Then
        List<WirePart> parts = drain(channel);
        assertThat(parts).hasSize(4);
        assertThat(parts.get(0)).isInstanceOf(FrameStart.class);
        assertThat(parts).extracting(WirePart::last).containsExactly(false, false, true, true);
        ByteBuf joined = Unpooled.wrappedBuffer(
                parts.get(0).content(), parts.get(1).content(), parts.get(2).content());
        assertThat(joined).isEqualTo(copy);
        joined.release();
        parts.get(3).release();
        channel.finishAndReleaseAll();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 3, 101, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void refusesALengthOutsideTheLimit(int lengthBytes) {
        // Given
        EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(new Limits(100, 50)));
        ByteBuf bytes = Unpooled.buffer().writeByte('Q').writeInt(lengthBytes);

        // When
        assertThatThrownBy(() -> channel.writeInbound(bytes))
                // Then
                .isInstanceOf(DecoderException.class)
                .cause()
                .isInstanceOfSatisfying(
                        ProtocolViolation.class, v -> assertThat(v.sqlState()).isEqualTo("08P01"));
        channel.writeInbound(Messages.query("not read any more"));
        assertThat(drain(channel)).isEmpty();
        channel.finishAndReleaseAll();
    }

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void givesBackWhatCameInOrRefusesIt(long seed) {
        // Given: messages, or noise, in random pieces
        SplittableRandom random = new SplittableRandom(seed);
        ByteBuf bytes = Unpooled.buffer();
        int count = random.nextInt(1, 30);
        for (int i = 0; i < count; i++) {
            byte[] body = new byte[random.nextInt(300)];
            random.nextBytes(body);
            bytes.writeByte("QXdcZTDE".charAt(random.nextInt(8)))
                    .writeInt(4 + body.length)
                    .writeBytes(body);
        }
        boolean noise = random.nextInt(3) == 0;
        if (noise) {
            bytes.setByte(random.nextInt(bytes.readableBytes()), random.nextInt(256));
        }
        ByteBuf original = bytes.copy();
        EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(new Limits(400, 128)));
        ByteBuf joined = Unpooled.buffer();
        List<ByteBuf> pieces = new ArrayList<>();
        boolean refused = false;

        // When
        while (bytes.isReadable()) {
            try {
                ByteBuf piece = bytes.readBytes(Math.min(bytes.readableBytes(), random.nextInt(1, 200)));
                pieces.add(piece);
                channel.writeInbound(piece);
            } catch (DecoderException e) {
                refused = true;
                assertThat(e).hasCauseInstanceOf(ProtocolViolation.class);
            }
            for (WirePart part : drain(channel)) {
                joined.writeBytes(part.content());
                part.release();
            }
        }

        // Then
        assertThat(refused && !noise).isFalse();
        assertThat(original.slice(0, joined.readableBytes())).isEqualTo(joined);
        if (!noise) {
            assertThat(joined).isEqualTo(original);
        }
        channel.finishAndReleaseAll();
        assertThat(pieces).allMatch(piece -> piece.refCnt() == 0);
    }
}
