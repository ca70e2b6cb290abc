package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.List;

/**
 * Reads a client's untagged first packets into {@link StartupPacket}s.
 *
 * <pre>
 * | int32 length (8..10004) | int32 code or version | rest |   length counts itself
 * </pre>
 *
 * <p>After a {@link StartupPacket.SslRequest} or {@link StartupPacket.GssEncRequest} the client must be silent until it
 * is answered; bytes that came along with one would be plain text slipped before the encryption, and are refused. After
 * a {@link StartupMessage}, {@link StartupPacket.CancelRequest} or {@link StartupPacket.DirectTls} nothing more is
 * decoded: bytes that follow wait here and go to the next handler when this one is removed from the pipeline.
 *
 * <p>At most one request of each kind of encryption is taken. Malformed input throws {@link ProtocolViolation}. The time
 * limit for the whole start-up belongs to the owner. Confined to its channel's event loop.
 */
public final class StartupDecoder extends ByteToMessageDecoder {
    private static final int TLS_HANDSHAKE = 0x16;

    private boolean first = true;
    private boolean done;
    private boolean sslAsked;
    private boolean gssAsked;

    public StartupDecoder() {
        setSingleDecode(true);
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (done) {
            return;
        }
        if (first && in.isReadable() && in.getUnsignedByte(in.readerIndex()) == TLS_HANDSHAKE) {
            done = true;
            // Not through the list: a decoder that takes no bytes may not give a message that way.
            ctx.fireChannelRead(new StartupPacket.DirectTls());
            return;
        }
        if (in.readableBytes() < 4) {
            return;
        }
        int lengthBytes = in.getInt(in.readerIndex());
        if (lengthBytes < 8 || lengthBytes > StartupMessage.MAX_PACKET_BYTES) {
            throw refused("invalid length of startup packet");
        }
        if (in.readableBytes() >= lengthBytes) {
            first = false;
            in.skipBytes(4);
            ByteBuf packet = in.readSlice(lengthBytes - 4);
            out.add(parse(packet, in.isReadable()));
        }
    }

    private StartupPacket parse(ByteBuf packet, boolean moreFollows) {
        int code = packet.readInt();
        return switch (code) {
            case StartupPacket.SSL_REQUEST_CODE -> {
                requireAlone(packet, moreFollows, sslAsked, "SSL");
                sslAsked = true;
                yield new StartupPacket.SslRequest();
            }
            case StartupPacket.GSSENC_REQUEST_CODE -> {
                requireAlone(packet, moreFollows, gssAsked, "GSSAPI encryption");
                gssAsked = true;
                yield new StartupPacket.GssEncRequest();
            }
            case StartupPacket.CANCEL_REQUEST_CODE -> {
                done = true;
                int keyBytes = packet.readableBytes() - 4;
                if (keyBytes < 4 || keyBytes > BackendKeyData.MAX_KEY_BYTES) {
                    throw refused("invalid length of cancel request packet");
                }
                int pid = packet.readInt();
                byte[] key = new byte[keyBytes];
                packet.readBytes(key);
                yield new StartupPacket.CancelRequest(pid, key);
            }
            default -> {
                int major = code >>> 16;
                if (major != 3) {
                    done = true;
                    throw new ProtocolViolation(
                            SqlState.FEATURE_NOT_SUPPORTED,
                            "unsupported frontend protocol %d.%d: server supports 3.0 to 3.2"
                                    .formatted(major, code & 0xffff));
                }
                done = true;
                yield StartupMessage.parse(code & 0xffff, packet);
            }
        };
    }

    private void requireAlone(ByteBuf packet, boolean moreFollows, boolean askedBefore, String what) {
        if (packet.isReadable() || askedBefore) {
            throw refused("invalid %s request".formatted(what));
        }
        if (moreFollows) {
            throw refused("received unencrypted data after %s request".formatted(what));
        }
    }

    private ProtocolViolation refused(String message) {
        done = true;
        return new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, message);
    }

    /** The bytes of an {@code SSLRequest}, for who plays the client. */
    public static byte[] sslRequest() {
        return new byte[] {0, 0, 0, 8, 0x04, (byte) 0xd2, 0x16, 0x2f};
    }
}
