package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quantadb.node.common.NodeException.ProtocolViolation;

/**
 * Walks a byte stream of protocol messages by their headers, and takes out whole only those few that somebody wants to
 * look at; all else is handed on in slices, uncopied and undecoded.
 * <pre>
 * | int8 tag | int32 length (4..n) | body |   length counts itself, not the tag
 * </pre>
 *
 * <p>At most a wanted message, or a header cut in two, is buffered, so {@link Interest} is the bound. Confined to its
 * session's event loop; {@link #release} ends it.
 */
final class FrameScanner {
    /** PostgreSQL's own largest message is a little over 1 GiB; more is not its protocol. */
    static final int LENGTH_MAX = 0x4000_0000 + 1024;

    private static final int HEADER_BYTES = 5;

    /** Says which messages are wanted whole; length as in the header. Must bound the length. */
    @FunctionalInterface
    interface Interest {
        /** Asked once for every message, when its header has been read. */
        boolean wants(byte tag, int length);

        /**
         * Whether the first byte of such a message's body is to be told, without taking the message out; one whose first
         * byte has not come with its header is taken out whole all the same.
         */
        default boolean peeks(byte tag, int length) {
            return false;
        }

        default void peeked(byte tag, byte first) {}
    }

    /** Takes what was found, in order; owns the buffers that it is given. */
    interface Sink {
        void raw(ByteBuf bytes);

        /** One wanted message with its header. False stops the scan behind it. */
        boolean message(byte tag, ByteBuf whole);
    }

    private final Interest interest;
    private ByteBuf partial = Unpooled.EMPTY_BUFFER;
    private int wantedBytes;
    private int remainingBytes;

    FrameScanner(Interest interest) {
        this.interest = interest;
    }

    /** Whether what was handed on so far ends with a whole message. */
    boolean atBoundary() {
        return remainingBytes == 0;
    }

    /**
     * Scans {@code in} to its end, or to where the sink stopped it; the reader index tells. The caller keeps
     * ownership of {@code in}. A length that no message can have is a {@link ProtocolViolation}.
     */
    void scan(ByteBuf in, Sink sink) {
        int rawFrom = in.readerIndex();
        while (in.isReadable()) {
            if (remainingBytes > 0) {
                int n = Math.min(remainingBytes, in.readableBytes());
                in.skipBytes(n);
                remainingBytes -= n;
                continue;
            }
            if (partial.isReadable()) {
                boolean goOn = completePartial(in, sink);
                rawFrom = in.readerIndex();
                if (!goOn) {
                    return;
                }
                continue;
            }
            if (in.readableBytes() < HEADER_BYTES) {
                raw(in, rawFrom, sink);
                keep(in, 0);
                return;
            }
            byte tag = in.getByte(in.readerIndex());
            int length = requireLength(in.getInt(in.readerIndex() + 1));
            boolean wanted = interest.wants(tag, length);
            if (!wanted && interest.peeks(tag, length)) {
                wanted = in.readableBytes() == HEADER_BYTES;
                if (!wanted) {
                    interest.peeked(tag, in.getByte(in.readerIndex() + HEADER_BYTES));
                }
            }
            if (!wanted) {
                in.skipBytes(HEADER_BYTES);
                remainingBytes = length - 4;
                continue;
            }
            raw(in, rawFrom, sink);
            if (in.readableBytes() <= length) {
                keep(in, length + 1);
                return;
            }
            ByteBuf whole = in.readRetainedSlice(length + 1);
            rawFrom = in.readerIndex();
            if (!sink.message(tag, whole)) {
                return;
            }
        }
        raw(in, rawFrom, sink);
    }

    void release() {
        partial.release();
        partial = Unpooled.EMPTY_BUFFER;
    }

    /** Adds to the message or header begun before; false when the scan is to stop. */
    private boolean completePartial(ByteBuf in, Sink sink) {
        int target = wantedBytes == 0 ? HEADER_BYTES : wantedBytes;
        partial.writeBytes(in, Math.min(target - partial.readableBytes(), in.readableBytes()));
        if (partial.readableBytes() < target) {
            return true;
        }
        byte tag = partial.getByte(0);
        if (wantedBytes == 0) {
            int length = requireLength(partial.getInt(1));
            if (!interest.wants(tag, length) && !interest.peeks(tag, length)) {
                remainingBytes = length - 4;
                sink.raw(takePartial());
                return true;
            }
            wantedBytes = length + 1;
            if (wantedBytes > HEADER_BYTES) {
                return true;
            }
        }
        return sink.message(tag, takePartial());
    }

    private ByteBuf takePartial() {
        ByteBuf whole = partial;
        partial = Unpooled.EMPTY_BUFFER;
        wantedBytes = 0;
        return whole;
    }

    private void keep(ByteBuf in, int wanted) {
        partial = Unpooled.buffer(Math.max(wanted, HEADER_BYTES));
        wantedBytes = wanted;
        partial.writeBytes(in, in.readableBytes());
    }

    private static void raw(ByteBuf in, int from, Sink sink) {
        int bytes = in.readerIndex() - from;
        if (bytes > 0) {
            sink.raw(in.retainedSlice(from, bytes));
        }
    }

    private static int requireLength(int length) {
        if (length < 4 || length > LENGTH_MAX) {
            throw new ProtocolViolation("08P01", "invalid message length %d".formatted(length));
        }
        return length;
    }
}
