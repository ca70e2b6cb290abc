package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.Arrays;

/**
 * What a client needs to cancel: {@code | int32 pid | key |}, the key 4 bytes in protocol 3.0 and up to 256 in 3.2. The
 * key is a secret: never printed.
 */
public record BackendKeyData(int pid, byte[] key) {
    static final int MAX_KEY_BYTES = 256;

    public static BackendKeyData parse(ByteBuf body) {
        int keyBytes = body.readableBytes() - 4;
        if (keyBytes < 4 || keyBytes > MAX_KEY_BYTES) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid length of a BackendKeyData message");
        }
        int pid = body.readInt();
        byte[] key = new byte[keyBytes];
        body.readBytes(key);
        return new BackendKeyData(pid, key);
    }

    public ByteBuf encode() {
        return Messages.message(Tag.BACKEND_KEY_DATA, out -> out.writeInt(pid).writeBytes(key));
    }

    /** The packet that asks the server to cancel this backend's statement. */
    public ByteBuf encodeCancelRequest() {
        return Unpooled.buffer(12 + key.length)
                .writeInt(12 + key.length)
                .writeInt(StartupPacket.CANCEL_REQUEST_CODE)
                .writeInt(pid)
                .writeBytes(key);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof BackendKeyData other && pid == other.pid && Arrays.equals(key, other.key);
    }

    @Override
    public int hashCode() {
        return 31 * pid + Arrays.hashCode(key);
    }

    @Override
    public String toString() {
        return "BackendKeyData[pid=%d]".formatted(pid);
    }
}
