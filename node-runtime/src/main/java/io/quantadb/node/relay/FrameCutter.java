package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a byte stream after start-up into whole frames without copying them, so that a relay never leaves a peer with
 * half a frame.
 *
 * <pre>
 * | int8 tag | int32 length (4..limit) | body |   length counts itself, not the tag
 * </pre>
 *
 * <p>A frame that came in pieces is handed out as a composite of these pieces. Copied are only a header that was itself
 * cut in two, and a frame in so many pieces that joining them once is cheaper than carrying them. So what waits for the
 * rest of a frame is at most {@value #PIECES_MAX} buffers that were read, or one of {@value #LENGTH_MAX} bytes.
 *
 * <p>Confined to the relay's loop. A length outside the limit is a {@link ProtocolViolation}; the cutter is unusable
 * after it and must be released.
 */
final class FrameCutter {
    /** Far above the largest WAL message (128 KiB and a header) and the largest timeline history. */
    static final int LENGTH_MAX = 1 << 20;

    /** So many pieces of one frame are kept apart; a stream that arrives in crumbs is joined. */
    static final int PIECES_MAX = 16;

    private static final int HEADER = 5;

    /** Takes each frame, header included; the sink owns the buffer. */
    @FunctionalInterface
    interface Sink {
        void onFrame(byte tag, ByteBuf frame);
    }

    private final ByteBufAllocator allocator;

    /** Of the frame that is not whole yet: its bytes so far, how many, and how many it will have (0: not known yet). */
    private final List<ByteBuf> pieces = new ArrayList<>();

    private int have;
    private int size;
    private boolean joined;
    private boolean released;

    FrameCutter(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /**
     * Takes the bytes over and hands out every frame that is now whole. Stops when the sink releases the cutter, as it
     * does when it closes the stream over a frame.
     */
    void feed(ByteBuf bytes, Sink sink) {
        try {
            while (!released && bytes.isReadable()) {
                if (have == 0 && bytes.readableBytes() >= HEADER) {
                    size = sizeAt(bytes, bytes.readerIndex());
                    if (bytes.readableBytes() >= size) {
                        int whole = size;
                        size = 0;
                        sink.onFrame(bytes.getByte(bytes.readerIndex()), bytes.readRetainedSlice(whole));
                        continue;
                    }
                }
                collect(bytes);
                if (size > 0 && have == size) {
                    ByteBuf frame = join();
                    sink.onFrame(frame.getByte(frame.readerIndex()), frame);
                }
            }
        } finally {
            bytes.release();
        }
    }

    private static int sizeAt(ByteBuf bytes, int index) {
        int length = bytes.getInt(index + 1);
        if (length < 4 || length > LENGTH_MAX) {
            throw new ProtocolViolation(
                    "08P01", "a frame's length %d is not between 4 and %d".formatted(length, LENGTH_MAX));
        }
        return 1 + length;
    }

    /** Takes what belongs to the frame begun. */
    private void collect(ByteBuf bytes) {
        if (size > 0) {
            take(bytes, Math.min(size - have, bytes.readableBytes()));
            return;
        }
        if (pieces.isEmpty()) {
            pieces.add(allocator.buffer(HEADER, HEADER));
        }
        ByteBuf header = pieces.getFirst();
        int count = Math.min(HEADER - have, bytes.readableBytes());
        header.writeBytes(bytes, count);
        have += count;
        if (have == HEADER) {
            size = sizeAt(header, 0);
        }
    }

    private void take(ByteBuf bytes, int count) {
        have += count;
        if (pieces.size() == PIECES_MAX) {
            ByteBuf all = allocator.buffer(size, size);
            for (ByteBuf piece : pieces) {
                all.writeBytes(piece);
                piece.release();
            }
            pieces.clear();
            pieces.add(all);
            joined = true;
        }
        if (joined) {
            pieces.getFirst().writeBytes(bytes, count);
        } else {
            pieces.add(bytes.readRetainedSlice(count));
        }
    }

    private ByteBuf join() {
        ByteBuf frame;
        if (pieces.size() == 1) {
            frame = pieces.getFirst();
        } else {
            CompositeByteBuf all = allocator.compositeBuffer(pieces.size());
            frame = all.addComponents(true, pieces);
        }
        forget();
        return frame;
    }

    private void forget() {
        pieces.clear();
        have = 0;
        size = 0;
        joined = false;
    }

    void release() {
        released = true;
        pieces.forEach(ByteBuf::release);
        forget();
    }
}
