package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamWireTest {
    @Test
    void hasTheBytesThatItPromises() {
        byte[] opening = bytes(StreamWire.opening(StreamKind.SQL, new byte[] {9, 8}));
        assertThat(opening).containsExactly('Q', 'D', 'B', '1', 1, 4, 0, 2, 9, 8);
        assertThat(bytes(StreamWire.accepted(new byte[] {7}))).containsExactly(0, 0, 1, 7);
        assertThat(bytes(StreamWire.refused("busy", "wait")))
                .isEqualTo("\1\0\11busy\0wait".getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] bytes(ByteBuf buffer) {
        byte[] out = new byte[buffer.readableBytes()];
        buffer.readBytes(out);
        return out;
    }

    @Test
    void takesAnOpeningByteByByteAndLeavesWhatFollows() {
        // Given
        ByteBuf whole = StreamWire.opening(StreamKind.WAL, new byte[StreamWire.MAX_HEADER]);
        ByteBuf in = Unpooled.buffer();
        // When
        while (whole.readableBytes() > 1) {
            in.writeByte(whole.readByte());
            assertThat(StreamWire.takeOpening(in)).isEmpty();
        }
        in.writeByte(whole.readByte()).writeByte(55);
        var opening = StreamWire.takeOpening(in).orElseThrow();
        // Then
        assertThat(opening.header()).hasSize(StreamWire.MAX_HEADER);
        assertThat(StreamKind.byCode(opening.kind())).contains(StreamKind.WAL);
        assertThat(in.readableBytes()).isEqualTo(1);
    }

    @Test
    void takesAnAnswerByteByByte() {
        // Given
        ByteBuf whole = StreamWire.refused("not_primary", "ask node2");
        ByteBuf in = Unpooled.buffer();
        Optional<StreamWire.Answer> answer = Optional.empty();
        // When
        while (whole.isReadable()) {
            assertThat(answer).isEmpty();
            in.writeByte(whole.readByte());
            answer = StreamWire.takeAnswer(in);
        }
        // Then
        assertThat(answer.orElseThrow().code()).isEqualTo("not_primary");
        assertThat(answer.orElseThrow().words()).isEqualTo("ask node2");
    }

    @Test
    void judgesAsEarlyAsItCan() {
        assertThatThrownBy(() ->
                        StreamWire.takeOpening(Unpooled.copiedBuffer("GET / HTTP/1.1", StandardCharsets.US_ASCII)))
                .isInstanceOf(StreamWire.Malformed.class)
                .hasMessageContaining("only QuantaDB nodes");
        ByteBuf tooLong = Unpooled.buffer()
                .writeInt(StreamWire.MAGIC)
                .writeByte(1)
                .writeByte(2)
                .writeShort(StreamWire.MAX_HEADER + 1);
        assertThatThrownBy(() -> StreamWire.takeOpening(tooLong))
                .isInstanceOf(StreamWire.Malformed.class)
                .hasMessageContaining("16385");
        assertThatThrownBy(() -> StreamWire.takeAnswer(Unpooled.buffer().writeByte('H')))
                .isInstanceOf(StreamWire.Malformed.class);
        assertThatThrownBy(() -> StreamWire.opening(StreamKind.WAL, new byte[StreamWire.MAX_HEADER + 1]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {1, 2, 3, 4})
    @Timeout(10)
    void endsOnAnyBytesInAnOpeningAFaultOrAWait(long seed) {
        var random = new Random(seed);
        int taken = 0;
        int faults = 0;
        for (int i = 0; i < 5_000; i++) {
            // Given
            ByteBuf in = Unpooled.buffer();
            in.writeBytes(StreamWire.opening(StreamKind.HELLO, new byte[random.nextInt(30)]));
            for (int flips = random.nextInt(3); flips > 0; flips--) {
                in.setByte(random.nextInt(in.writerIndex()), random.nextInt());
            }
            in.writerIndex(in.writerIndex() - random.nextInt(4));
            int before = in.readerIndex();
            // When, Then
            try {
                if (StreamWire.takeOpening(in).isPresent()) {
                    taken++;
                } else {
                    assertThat(in.readerIndex()).isEqualTo(before);
                }
            } catch (StreamWire.Malformed e) {
                faults++;
            }
        }
        assertThat(taken).isPositive();
        assertThat(faults).isPositive();
    }
}
