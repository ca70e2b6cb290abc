package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.List;

/**
 * Cuts the byte stream after start-up into {@link WirePart}s, for either direction.
 *
 * <pre>
 * | int8 tag | int32 length (4..limits.maxFrameBytes) | body |   length counts itself, not the tag
 * </pre>
 *
 * <p>Messages up to {@code limits.wholeFrameBytes} arrive as one {@link Frame}; longer ones as a {@link FrameStart} and
 * {@link FrameRest}s, as their bytes come. Buffers are retained slices of what was read: nothing is copied. A length
 * outside the limit, or a tag that no protocol message has, throws {@link ProtocolViolation} (08P01) and nothing more is
 * decoded; the owner answers and closes.
 *
 * <p>Confined to its channel's event loop.
 */
public final class FrameDecoder extends ByteToMessageDecoder {
    private Limits limits;
    private int restBytes;
    private boolean failed;

    public FrameDecoder(Limits limits) {
        this.limits = limits;
    }

    /** Takes effect with the next message; on the event loop only. */
    public void setLimits(Limits limits) {
        this.limits = limits;
    }

    /** True between messages: no {@link FrameStart} is waiting for its end. */
    public boolean atMessageBoundary() {
        return restBytes == 0 && actualReadableBytes() == 0;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (failed) {
            in.skipBytes(in.readableBytes());
        } else if (restBytes > 0) {
            int pieceBytes = Math.min(restBytes, in.readableBytes());
            restBytes -= pieceBytes;
            out.add(new FrameRest(in.readRetainedSlice(pieceBytes), restBytes == 0));
        } else if (in.readableBytes() >= Frame.HEADER_BYTES) {
            decodeMessage(in, out);
        }
    }

    private void decodeMessage(ByteBuf in, List<Object> out) {
        char tag = (char) in.getUnsignedByte(in.readerIndex());
        int lengthBytes = in.getInt(in.readerIndex() + 1);
        if (!Tag.isPlausible(tag)) {
            failed = true;
            throw new ProtocolViolation(
                    SqlState.PROTOCOL_VIOLATION, "invalid message type 0x%02x".formatted((int) tag));
        }
        if (lengthBytes < 4 || lengthBytes > limits.maxFrameBytes()) {
            failed = true;
            throw new ProtocolViolation(
                    SqlState.PROTOCOL_VIOLATION,
                    "invalid length %d of message type '%c', the limit is %d"
                            .formatted(lengthBytes, tag, limits.maxFrameBytes()));
        }
        long wholeBytes = lengthBytes + 1L;
        if (wholeBytes > limits.wholeFrameBytes() && in.readableBytes() < wholeBytes) {
            int pieceBytes = in.readableBytes();
            restBytes = (int) (wholeBytes - pieceBytes);
            out.add(new FrameStart(tag, lengthBytes, in.readRetainedSlice(pieceBytes)));
        } else if (in.readableBytes() >= wholeBytes) {
            out.add(new Frame(in.readRetainedSlice((int) wholeBytes)));
        }
    }
}
