package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a byte stream after start-up into whole frames without copying them, so that a relay never leaves a peer with
 * half a frame.
 *
 * <pre>
 * | int8 tag | int32 length (4..limit) | body |   length counts itself, not the tag
 * </pre>
 *
 * <p>Confined to the relay's loop. A length outside the limit is a {@link ProtocolViolation}; the cutter is unusable
 * after it and must be released.
 */
final class FrameCutter {
    /** Far above the largest WAL message (128 KiB and a header) and the largest timeline history. */
    static final int LENGTH_MAX = 1 << 20;

    private static final int HEADER = 5;

    /** Takes each frame, header included; the sink owns the buffer. */
    @FunctionalInterface
    interface Sink {
        void onFrame(byte tag, ByteBuf frame);
    }

    private final ByteBufAllocator allocator;
    private @Nullable ByteBuf pending;
    private boolean released;

    FrameCutter(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /**
     * Takes the bytes over and hands out every frame that is now whole. Stops when the sink releases the cutter, as it
     * does when it closes the stream over a frame.
     */
    void feed(ByteBuf bytes, Sink sink) {
        if (released) {
            bytes.release();
            return;
        }
        ByteBuf all =
                pending == null ? bytes : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(allocator, pending, bytes);
        pending = all;
        while (!released && all.readableBytes() >= HEADER) {
            int length = all.getInt(all.readerIndex() + 1);
            if (length < 4 || length > LENGTH_MAX) {
                throw new ProtocolViolation(
                        "08P01", "a frame's length %d is not between 4 and %d".formatted(length, LENGTH_MAX));
            }
            if (all.readableBytes() < 1 + length) {
                break;
            }
            byte tag = all.getByte(all.readerIndex());
            sink.onFrame(tag, all.readRetainedSlice(1 + length));
        }
        if (!released && !all.isReadable()) {
            all.release();
            pending = null;
        }
    }

    void release() {
        released = true;
        if (pending != null) {
            pending.release();
            pending = null;
        }
    }
}
