package io.quantadb.node.pgwire;

import java.util.Arrays;

/** What a client may say before any typed message. Source: PostgreSQL documentation, "Message Formats". */
public sealed interface StartupPacket
        permits StartupMessage,
                StartupPacket.SslRequest,
                StartupPacket.GssEncRequest,
                StartupPacket.DirectTls,
                StartupPacket.CancelRequest {
    int SSL_REQUEST_CODE = 80_877_103;
    int GSSENC_REQUEST_CODE = 80_877_104;
    int CANCEL_REQUEST_CODE = 80_877_102;

    /** "May I speak TLS?": the owner answers with the single byte {@code S} or {@code N}. */
    record SslRequest() implements StartupPacket {}

    /** "May I encrypt with GSSAPI?": answered like {@link SslRequest}. */
    record GssEncRequest() implements StartupPacket {}

    /** The first byte is that of a TLS handshake (libpq's {@code sslnegotiation=direct}): no bytes were taken. */
    record DirectTls() implements StartupPacket {}

    /** Asks to cancel what backend {@code pid} is doing; the key (4 to 256 bytes) is a secret and is never printed. */
    record CancelRequest(int pid, byte[] key) implements StartupPacket {
        @Override
        public boolean equals(Object o) {
            return o instanceof CancelRequest other && pid == other.pid && Arrays.equals(key, other.key);
        }

        @Override
        public int hashCode() {
            return 31 * pid + Arrays.hashCode(key);
        }

        @Override
        public String toString() {
            return "CancelRequest[pid=%d]".formatted(pid);
        }
    }
}
