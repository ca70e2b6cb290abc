package io.quantadb.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.CorruptedFrameException;
import java.util.List;

/**
 * Cuts the decrypted bytes of a control connection into {@link PeerFrame}s.
 *
 * <p>Until {@link #helloDone} a frame may be {@value #MAX_HELLO_PAYLOAD} bytes, afterwards
 * {@link PeerFrame#MAX_PAYLOAD}; a length outside its limits or an unknown version is a
 * {@link CorruptedFrameException}, after which everything is skipped until the connection is closed. Confined to its
 * channel's event loop.
 */
final class PeerFrameDecoder extends ByteToMessageDecoder {
    static final int MAX_HELLO_PAYLOAD = 1024;

    private int maxPayload = MAX_HELLO_PAYLOAD;
    private boolean broken;

    /** The peer is known: frames of full size from here on. */
    void helloDone() {
        maxPayload = PeerFrame.MAX_PAYLOAD;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (broken) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (in.readableBytes() < PeerFrame.LENGTH_BYTES) {
            return;
        }
        long length = in.getUnsignedInt(in.readerIndex());
        if (length < PeerFrame.HEAD_BYTES || length > PeerFrame.HEAD_BYTES + maxPayload) {
            broken = true;
            throw new CorruptedFrameException(
                    "a frame of %d bytes is outside 2 to %d".formatted(length, PeerFrame.HEAD_BYTES + maxPayload));
        }
        if (in.readableBytes() < PeerFrame.LENGTH_BYTES + length) {
            return;
        }
        in.skipBytes(PeerFrame.LENGTH_BYTES);
        int version = in.readUnsignedByte();
        if (version != PeerFrame.VERSION) {
            broken = true;
            throw new CorruptedFrameException("frame version %d is not known here, only %d; use the same release"
                    .formatted(version, PeerFrame.VERSION));
        }
        byte kind = in.readByte();
        byte[] payload = new byte[(int) length - PeerFrame.HEAD_BYTES];
        in.readBytes(payload);
        out.add(new PeerFrame(kind, payload));
    }
}
