package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Answers a client's start-up in the server's place, asking for no password: whoever can reach this has been let in
 * already, by the socket's directory or by the stream's opening. It gets the session that is there: one for physical
 * replication, or one of a certain role.
 *
 * <pre>
 *   SSLRequest or GSSENCRequest -> 'N'
 *   protocol 3.x, as expected   -> [NegotiateProtocolVersion] AuthenticationOk, ParameterStatus..., ReadyForQuery
 *   anything else               -> ProtocolViolation, and the connection should be closed
 * </pre>
 *
 * <p>Confined to the relay's loop; {@link #release} it with the connection.
 */
final class StartupAnswer {
    private static final int PACKET_BYTES_MAX = 10_000;
    private static final int SSL_REQUEST = 80877103;
    private static final int GSS_REQUEST = 80877104;

    private final Link link;
    private final String serverVersion;
    private final RewindSource.@Nullable Login login;
    private final ByteBuf waiting;
    private boolean released;

    StartupAnswer(Link link, String serverVersion) {
        this(link, serverVersion, null);
    }

    /** @param login whose session it is; null for physical replication */
    StartupAnswer(Link link, String serverVersion, RewindSource.@Nullable Login login) {
        this.login = login;
        this.link = link;
        this.serverVersion = serverVersion;
        this.waiting = link.allocator().buffer(256);
    }

    /** Takes the bytes over; gives what came after the start-up packet once that is answered, else null. */
    @Nullable
    ByteBuf feed(ByteBuf bytes) {
        waiting.writeBytes(bytes);
        bytes.release();
        while (waiting.readableBytes() >= 8) {
            int length = waiting.getInt(waiting.readerIndex());
            if (length < 8 || length > PACKET_BYTES_MAX) {
                throw new ProtocolViolation("08P01", "a startup packet of %d bytes".formatted(length));
            }
            if (waiting.readableBytes() < length) {
                return null;
            }
            ByteBuf packet = waiting.readSlice(length);
            packet.skipBytes(4);
            int code = packet.readInt();
            if (code == SSL_REQUEST || code == GSS_REQUEST) {
                link.write(link.allocator().buffer(1).writeByte('N'));
                link.flush();
            } else if (code >>> 16 == 3) {
                answer(code & 0xFFFF, WalMessages.parameters(packet));
                return waiting.readRetainedSlice(waiting.readableBytes());
            } else {
                throw new ProtocolViolation("08P01", "an unknown startup code " + code);
            }
        }
        return null;
    }

    private void answer(int minor, Map<String, String> parameters) {
        requireExpected(parameters);
        ByteBufAllocator allocator = link.allocator();
        if (minor > 0) {
            // 3.0 it is, and no option is known
            link.write(allocator
                    .buffer(13)
                    .writeByte('v')
                    .writeInt(12)
                    .writeInt(3 << 16)
                    .writeInt(0));
        }
        link.write(allocator.buffer(9).writeByte('R').writeInt(8).writeInt(0));
        link.write(WalMessages.parameterStatus(allocator, "server_version", serverVersion));
        link.write(WalMessages.parameterStatus(allocator, "server_encoding", "UTF8"));
        link.write(WalMessages.parameterStatus(allocator, "client_encoding", "UTF8"));
        link.write(WalMessages.parameterStatus(allocator, "integer_datetimes", "on"));
        link.write(WalMessages.parameterStatus(allocator, "standard_conforming_strings", "on"));
        link.write(allocator.buffer(6).writeByte(WalMessages.READY).writeInt(5).writeByte('I'));
        link.flush();
    }

    private void requireExpected(Map<String, String> parameters) {
        RewindSource.Login known = login;
        String replication = parameters.getOrDefault("replication", "");
        if (known == null) {
            if (!replication.equals("true") && !replication.equals("on") && !replication.equals("1")) {
                throw new ProtocolViolation("0A000", "only physical replication connects here");
            }
            return;
        }
        boolean same = known.role().equals(parameters.get("user"))
                && known.database().equals(parameters.get("database"))
                && replication.isEmpty();
        if (!same) {
            throw new ProtocolViolation(
                    "28000", "only role %s connects here, to database %s".formatted(known.role(), known.database()));
        }
    }

    void release() {
        if (!released) {
            released = true;
            waiting.release();
        }
    }
}
