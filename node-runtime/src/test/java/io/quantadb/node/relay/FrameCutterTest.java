package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames come out as they went in, whole, uncopied where they can be, and nothing of them stays behind. */
final class FrameCutterTest {
    private static final UnpooledByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;

    private final FrameCutter cutter = new FrameCutter(ALLOCATOR);
    private final List<ByteBuf> frames = new ArrayList<>();

    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void givesTheSameFramesHoweverTheirBytesWereCut(long seed) {
        // Given a stream of small and large frames
        Random random = new Random(seed);
        List<byte[]> sent = new ArrayList<>();
        ByteBuf stream = Unpooled.buffer();
        for (int i = 0; i < 40; i++) {
            byte[] body = new byte[random.nextInt(10) == 0 ? random.nextInt(200_000) : random.nextInt(300)];
            random.nextBytes(body);
            sent.add(body);
            stream.writeByte('d').writeInt(4 + body.length).writeBytes(body);
        }

        // When it comes in pieces of all sizes
        List<ByteBuf> fed = new ArrayList<>();
        while (stream.isReadable()) {
            int most = random.nextInt(3) == 0 ? 7 : 1 + random.nextInt(random.nextInt(4) == 0 ? 150_000 : 2_000);
            ByteBuf piece = ALLOCATOR.buffer().writeBytes(stream, Math.min(most, stream.readableBytes()));
            fed.add(piece);
            cutter.feed(piece, (tag, frame) -> frames.add(frame));
        }
        stream.release();

        // Then
        assertThat(frames).hasSameSizeAs(sent);
        for (int i = 0; i < sent.size(); i++) {
            ByteBuf frame = frames.get(i);
            assertThat(frame.getByte(frame.readerIndex())).isEqualTo((byte) 'd');
            assertThat(frame.getInt(frame.readerIndex() + 1)).isEqualTo(4 + sent.get(i).length);
            byte[] body = new byte[frame.readableBytes() - 5];
            frame.getBytes(frame.readerIndex() + 5, body);
            assertThat(body).isEqualTo(sent.get(i));
            frame.release();
        }
        cutter.release();
        assertThat(fed).allSatisfy(piece -> assertThat(piece.refCnt()).isZero());
    }

    @Test
    void copiesNeitherAWholeFrameNorOneInAFewPieces() {
        // Given one whole frame and one that comes in two pieces
        ByteBuf first = frame(1000).writeBytes(frame(1000).slice(0, 400));
        ByteBuf second = frame(1000).skipBytes(400);

        // When
        cutter.feed(first.retain(), (tag, frame) -> frames.add(frame));
        cutter.feed(second.retain(), (tag, frame) -> frames.add(frame));
        first.setByte(100, 42);
        first.setByte(1005 + 300, 43);
        second.setByte(999, 44);

        // Then what is changed where it came from is changed in the frames
        assertThat(frames).hasSize(2);
        assertThat(frames.get(0).getByte(100)).isEqualTo((byte) 42);
        assertThat(frames.get(1).getByte(300)).isEqualTo((byte) 43);
        assertThat(frames.get(1).getByte(999)).isEqualTo((byte) 44);
        frames.forEach(ByteBuf::release);
        assertThat(first.refCnt()).isEqualTo(1);
        assertThat(second.refCnt()).isEqualTo(1);
    }

    @Test
    void joinsAFrameOfTooManyPiecesAndLetsThePiecesGo() {
        // Given
        ByteBuf bytes = frame(4 * FrameCutter.PIECES_MAX);
        List<ByteBuf> fed = new ArrayList<>();

        // When all but its last byte has come, a byte at a time
        while (bytes.readableBytes() > 1) {
            ByteBuf piece = Unpooled.buffer(1).writeByte(bytes.readByte());
            fed.add(piece);
            cutter.feed(piece, (tag, frame) -> frames.add(frame));
        }

        // Then none of them is held, and the last one makes it whole
        assertThat(frames).isEmpty();
        assertThat(fed).allSatisfy(piece -> assertThat(piece.refCnt()).isZero());
        cutter.feed(bytes, (tag, frame) -> frames.add(frame));
        assertThat(frames).hasSize(1);
        assertThat(frames.getFirst().readableBytes()).isEqualTo(4 * FrameCutter.PIECES_MAX + 5);
        frames.getFirst().release();
    }

    @Test
    void holdsNothingOnceReleasedInTheMiddleOfAFrame() {
        // Given
        ByteBuf begun = frame(1000).writerIndex(500);
        ByteBuf late = frame(10);
        cutter.feed(begun, (tag, frame) -> frames.add(frame));

        // When
        cutter.release();
        cutter.feed(late, (tag, frame) -> frames.add(frame));

        // Then
        assertThat(frames).isEmpty();
        assertThat(begun.refCnt()).isZero();
        assertThat(late.refCnt()).isZero();
    }

    @Test
    void handsOutNothingMoreWhenTheSinkEndsTheStream() {
        // Given
        ByteBuf two = frame(10).writeBytes(frame(10));

        // When
        cutter.feed(two, (tag, frame) -> {
            frames.add(frame);
            cutter.release();
        });

        // Then
        assertThat(frames).hasSize(1);
        frames.getFirst().release();
        assertThat(two.refCnt()).isZero();
    }

    private static ByteBuf frame(int bodyBytes) {
        return Unpooled.buffer().writeByte('d').writeInt(4 + bodyBytes).writeZero(bodyBytes);
    }
}
