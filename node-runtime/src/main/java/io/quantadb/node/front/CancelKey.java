package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What a client must show to cancel a statement. BackendKeyData and CancelRequest carry it alike.
 * <pre>
 * 'K' | int32 length       | int32 pid | key: 4 bytes, or up to 256 in protocol 3.2
 *       int32 length, 16.. | int32 80877102 | int32 pid | key
 * </pre>
 */
record CancelKey(int pid, String keyHex) {
    static final int KEY_BYTES_MAX = 256;

    /** From a whole BackendKeyData message; null when it has no such form. */
    static @Nullable CancelKey ofKeyData(ByteBuf message) {
        return of(message, message.readerIndex() + 5);
    }

    /** From a whole CancelRequest packet; null when it has no such form. */
    static @Nullable CancelKey ofRequest(ByteBuf packet) {
        return of(packet, packet.readerIndex() + 8);
    }

    private static @Nullable CancelKey of(ByteBuf in, int at) {
        int keyBytes = in.writerIndex() - at - 4;
        if (keyBytes < 4 || keyBytes > KEY_BYTES_MAX) {
            return null;
        }
        return new CancelKey(in.getInt(at), HexFormat.of().formatHex(ByteBufUtil.getBytes(in, at + 4, keyBytes)));
    }

    /** Without the key, which is a secret. */
    @Override
    public String toString() {
        return "CancelKey[pid=" + pid + "]";
    }
}
