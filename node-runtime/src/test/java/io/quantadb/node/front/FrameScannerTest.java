package io.quantadb.node.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FrameScannerTest {
    private final Collector sink = new Collector();

    @Test
    void takesOutWantedMessagesAndHandsOnTheRestAsItIs() {
        // Given
        var scanner = new FrameScanner((tag, length) -> tag == 'N');
        ByteBuf in = Wire.join(Wire.complete("SELECT 1"), Wire.message('N', (byte) 1), Wire.ready());
        // When
        scanner.scan(in, sink);
        // Then
        assertThat(sink.tags).containsExactly('N');
        assertThat(sink.raws).isEqualTo(2);
        assertThat(scanner.atBoundary()).isTrue();
        in.release();
    }

    @Test
    void stopsBehindAMessageWhenToldTo() {
        // Given
        var scanner = new FrameScanner((tag, length) -> tag == 'N');
        sink.stop = true;
        ByteBuf in = Wire.join(Wire.message('N', (byte) 1), Wire.ready());
        // When
        scanner.scan(in, sink);
        // Then
        assertThat(in.readableBytes()).isEqualTo(6);
        assertThat(in.getByte(in.readerIndex())).isEqualTo((byte) 'Z');
        in.release();
    }

    @Test
    void knowsThatItIsInsideAMessage() {
        // Given
        var scanner = new FrameScanner((tag, length) -> false);
        ByteBuf in = Wire.message('D', new byte[100]).writerIndex(50);
        // When
        scanner.scan(in, sink);
        // Then
        assertThat(scanner.atBoundary()).isFalse();
        assertThat(sink.all.size()).isEqualTo(50);
        in.release();
    }

    @Test
    void refusesALengthThatNoMessageHas() {
        var scanner = new FrameScanner((tag, length) -> false);
        for (int length : new int[] {3, 0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            ByteBuf in = Unpooled.buffer().writeByte('D').writeInt(length);
            assertThatThrownBy(() -> scanner.scan(in, sink)).isInstanceOf(ProtocolViolation.class);
            in.release();
        }
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void losesAndReordersNothingHoweverTheStreamIsCut(long seed) {
        // Given
        var random = new Random(seed);
        var scanner = new FrameScanner((tag, length) -> (tag == 'N' || tag == 'E') && length < 200);
        var sent = new ByteArrayOutputStream();
        var wanted = new ArrayList<Character>();
        for (int i = 0; i < 60; i++) {
            char tag = "NEDZTC".charAt(random.nextInt(6));
            byte[] body = new byte[random.nextInt(4) == 0 ? 0 : random.nextInt(400)];
            random.nextBytes(body);
            sent.writeBytes(Wire.bytes(Wire.message(tag, body)));
            if ((tag == 'N' || tag == 'E') && body.length + 4 < 200) {
                wanted.add(tag);
            }
        }
        byte[] stream = sent.toByteArray();
        // When
        for (int at = 0; at < stream.length; ) {
            int n = Math.min(stream.length - at, 1 + random.nextInt(random.nextBoolean() ? 7 : 900));
            ByteBuf in = Unpooled.copiedBuffer(stream, at, n);
            scanner.scan(in, sink);
            assertThat(in.isReadable()).isFalse();
            in.release();
            at += n;
        }
        // Then
        assertThat(sink.all.toByteArray()).isEqualTo(stream);
        assertThat(sink.tags).isEqualTo(wanted);
        assertThat(scanner.atBoundary()).isTrue();
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void tellsTheFirstByteOfEveryMessageThatIsPeekedAtHoweverTheStreamIsCut(long seed) {
        // Given
        var random = new Random(seed);
        var peeked = new StringBuilder();
        var scanner = new FrameScanner(new FrameScanner.Interest() {
            @Override
            public boolean wants(byte tag, int length) {
                return false;
            }

            @Override
            public boolean peeks(byte tag, int length) {
                return tag == 'Z' && length == 5;
            }

            @Override
            public void peeked(byte tag, byte first) {
                peeked.append((char) first);
            }
        });
        sink.onWhole = whole -> peeked.append((char) whole.getByte(whole.writerIndex() - 1));
        var sent = new ByteArrayOutputStream();
        var expected = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            char status = "ITE".charAt(random.nextInt(3));
            sent.writeBytes(Wire.bytes(Wire.message('D', new byte[random.nextInt(40)])));
            sent.writeBytes(Wire.bytes(Wire.message('Z', (byte) status)));
            expected.append(status);
        }
        byte[] stream = sent.toByteArray();
        // When
        for (int at = 0; at < stream.length; ) {
            int n = Math.min(stream.length - at, 1 + random.nextInt(random.nextBoolean() ? 7 : 90));
            ByteBuf in = Unpooled.copiedBuffer(stream, at, n);
            scanner.scan(in, sink);
            in.release();
            at += n;
        }
        // Then
        assertThat(peeked).hasToString(expected.toString());
        assertThat(sink.all.toByteArray()).isEqualTo(stream);
    }

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }

    private static final class Collector implements FrameScanner.Sink {
        private final ByteArrayOutputStream all = new ByteArrayOutputStream();
        private final List<Character> tags = new ArrayList<>();
        private int raws;
        private boolean stop;
        private Consumer<ByteBuf> onWhole = whole -> {};

        @Override
        public void raw(ByteBuf bytes) {
            raws++;
            all.writeBytes(ByteBufUtil.getBytes(bytes));
            bytes.release();
        }

        @Override
        public boolean message(byte tag, ByteBuf whole) {
            tags.add((char) tag);
            onWhole.accept(whole);
            all.writeBytes(ByteBufUtil.getBytes(whole));
            whole.release();
            return !stop;
        }
    }
}
