package io.quantadb.node.transport;

import io.netty.handler.codec.CorruptedFrameException;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The first frame each side sends on a control connection.
 *
 * <pre>
 * | u16 protocol version | u64 process | u8 length | node id, ASCII | u8 length | address, ASCII |
 * </pre>
 *
 * The address may be left out; anything after it is for later versions.
 *
 * @param version the highest protocol version the sender speaks; both use the lower of the two
 * @param process random per process: tells a restarted peer from the one that an old connection still points to
 * @param node must be the CN of the sender's certificate
 * @param address where the sender's Raft port is reached, for who was never told of it; null when it does not say
 */
record Hello(
        int version, long process, NodeId node, @Nullable HostPort address) {
    static final int VERSION = 1;
    private static final int ADDRESS_MAX = 255;

    byte[] encode() {
        byte[] id = node.value().getBytes(StandardCharsets.US_ASCII);
        byte[] at = address == null ? new byte[0] : address.toString().getBytes(StandardCharsets.US_ASCII);
        if (at.length > ADDRESS_MAX) {
            at = new byte[0];
        }
        return ByteBuffer.allocate(2 + 8 + 1 + id.length + 1 + at.length)
                .putShort((short) version)
                .putLong(process)
                .put((byte) id.length)
                .put(id)
                .put((byte) at.length)
                .put(at)
                .array();
    }

    static Hello decode(byte[] payload) {
        try {
            ByteBuffer in = ByteBuffer.wrap(payload);
            int version = Short.toUnsignedInt(in.getShort());
            long process = in.getLong();
            byte[] id = new byte[Byte.toUnsignedInt(in.get())];
            in.get(id);
            if (version < 1) {
                throw new CorruptedFrameException("protocol version 0 in a hello");
            }
            NodeId node = new NodeId(new String(id, StandardCharsets.US_ASCII));
            return new Hello(version, process, node, address(in));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new CorruptedFrameException("a hello that cannot be read: " + e.getMessage(), e);
        }
    }

    /** A help only: what cannot be read is none. */
    private static @Nullable HostPort address(ByteBuffer in) {
        int length = in.hasRemaining() ? Byte.toUnsignedInt(in.get()) : 0;
        if (length == 0 || length > in.remaining()) {
            return null;
        }
        byte[] text = new byte[length];
        in.get(text);
        try {
            return HostPort.parse(new String(text, StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
