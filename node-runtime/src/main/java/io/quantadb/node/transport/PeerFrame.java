package io.quantadb.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/**
 * One control message as it crosses the Raft port.
 *
 * <pre>
 * | u32 length | u8 version | u8 kind | payload |     length counts what follows it: 2 and the payload
 * </pre>
 *
 * <p>The first frame in each direction is a {@link Hello} ({@link #HELLO}), or {@link #REFUSED} with words in UTF-8;
 * after that kinds are the user's. The array belongs to the frame and is not changed by anybody.
 */
record PeerFrame(byte kind, byte[] payload) {
    static final int VERSION = 1;
    static final int LENGTH_BYTES = 4;
    static final int HEAD_BYTES = 2;
    static final int MAX_PAYLOAD = 2 * 1024 * 1024;

    static final byte HELLO = 0;
    static final byte REFUSED = 1;

    /** On the heap and unpooled: nothing to release. The payload is not copied. */
    static ByteBuf encode(byte kind, byte[] payload) {
        ByteBuf head = Unpooled.buffer(LENGTH_BYTES + HEAD_BYTES, LENGTH_BYTES + HEAD_BYTES);
        head.writeInt(HEAD_BYTES + payload.length);
        head.writeByte(VERSION);
        head.writeByte(kind);
        return Unpooled.wrappedBuffer(head, Unpooled.wrappedBuffer(payload));
    }

    static ByteBuf refused(String words) {
        return encode(REFUSED, words.getBytes(StandardCharsets.UTF_8));
    }
}
