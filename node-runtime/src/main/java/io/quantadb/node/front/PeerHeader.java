package io.quantadb.node.front;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The header of a peer stream of kind SQL: what the front of another node brings.
 * <pre>
 * | int8 version = 1 | int8 kind: 1 session, 2 cancel | int16 n | client address, n bytes | cancel packet, the rest |
 * </pre>
 * A session's start-up packet comes as the first bytes of the stream; a cancel stream carries nothing further.
 */
sealed interface PeerHeader {
    byte VERSION = 1;
    int BYTES_MAX = 1024;

    String clientAddress();

    record SessionHeader(String clientAddress) implements PeerHeader {}

    /** {@code packet} is the client's whole CancelRequest. */
    record CancelHeader(String clientAddress, byte[] packet) implements PeerHeader {}

    static byte[] encode(PeerHeader header) {
        byte[] address = header.clientAddress().getBytes(StandardCharsets.UTF_8);
        byte[] packet = header instanceof CancelHeader cancel ? cancel.packet() : new byte[0];
        return ByteBuffer.allocate(4 + address.length + packet.length)
                .put(VERSION)
                .put((byte) (header instanceof CancelHeader ? 2 : 1))
                .putShort((short) address.length)
                .put(address)
                .put(packet)
                .array();
    }

    /** Null when it is not of this version or form. */
    static @Nullable PeerHeader parse(byte[] bytes) {
        if (bytes.length < 4 || bytes.length > BYTES_MAX) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        byte version = in.get();
        byte kind = in.get();
        int addressBytes = in.getShort() & 0xFFFF;
        if (version != VERSION || addressBytes > in.remaining()) {
            return null;
        }
        byte[] address = new byte[addressBytes];
        in.get(address);
        String clientAddress = Words.printable(new String(address, StandardCharsets.UTF_8), 100);
        if (kind == 1) {
            return in.hasRemaining() ? null : new SessionHeader(clientAddress);
        }
        if (kind != 2) {
            return null;
        }
        byte[] packet = new byte[in.remaining()];
        in.get(packet);
        return new CancelHeader(clientAddress, packet);
    }
}
