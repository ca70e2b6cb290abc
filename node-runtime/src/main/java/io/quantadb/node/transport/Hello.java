package io.quantadb.node.transport;

import io.netty.handler.codec.CorruptedFrameException;
import io.quantadb.node.common.NodeId;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The first frame each side sends on a control connection.
 *
 * <pre>
 * | u16 protocol version | u64 process | u8 length | node id, ASCII |     anything after it is for later versions
 * </pre>
 *
 * @param version the highest protocol version the sender speaks; both use the lower of the two
 * @param process random per process: tells a restarted peer from the one that an old connection still points to
 * @param node must be the CN of the sender's certificate
 */
record Hello(int version, long process, NodeId node) {
    static final int VERSION = 1;

    byte[] encode() {
        byte[] id = node.value().getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(2 + 8 + 1 + id.length)
                .putShort((short) version)
                .putLong(process)
                .put((byte) id.length)
                .put(id)
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
            return new Hello(version, process, new NodeId(new String(id, StandardCharsets.US_ASCII)));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new CorruptedFrameException("a hello that cannot be read: " + e.getMessage(), e);
        }
    }
}
