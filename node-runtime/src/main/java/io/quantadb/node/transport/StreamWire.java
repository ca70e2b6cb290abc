package io.quantadb.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The bytes that open a stream.
 *
 * <pre>
 * opening  | u32 magic 'QDB1' | u8 version | u8 kind | u16 length | header, at most 16 KiB |
 * answer   | u8 0 = accepted, 1 = refused | u16 length | reply, or code NUL words in UTF-8 |
 * </pre>
 *
 * <p>All numbers big-endian. Pure functions.
 */
final class StreamWire {
    static final int MAGIC = 0x51444231;
    static final int VERSION = 1;
    static final int MAX_HEADER = 16 * 1024;
    static final int MAX_REPLY = 0xFFFF;
    private static final int HEAD = 8;
    private static final int ANSWER_HEAD = 3;
    private static final byte ACCEPTED = 0;
    private static final byte REFUSED = 1;
    private static final int MAX_WORDS = 4096;

    private StreamWire() {}

    /** An opening as it came; the kind's code may be one that this release does not know. */
    record Opening(int version, byte kind, byte[] header) {}

    /** The acceptor's answer; {@code code} and {@code words} are null when it accepted. */
    record Answer(
            byte[] reply, @Nullable String code, @Nullable String words) {}

    /** What came is no opening; the message says why. */
    static final class Malformed extends RuntimeException {
        Malformed(String message) {
            super(message);
        }
    }

    static ByteBuf opening(StreamKind kind, byte[] header) {
        if (header.length > MAX_HEADER) {
            throw new IllegalArgumentException(
                    "a stream header of %d bytes is over %d".formatted(header.length, MAX_HEADER));
        }
        ByteBuf out = Unpooled.buffer(HEAD + header.length, HEAD + header.length);
        out.writeInt(MAGIC);
        out.writeByte(VERSION);
        out.writeByte(kind.code());
        out.writeShort(header.length);
        return out.writeBytes(header);
    }

    /** Takes an opening once it is whole; judges as early as the bytes allow. */
    static Optional<Opening> takeOpening(ByteBuf in) {
        int at = in.readerIndex();
        if (in.readableBytes() >= 4 && in.getInt(at) != MAGIC) {
            throw new Malformed("it does not begin a stream: only QuantaDB nodes speak on this port");
        }
        if (in.readableBytes() < HEAD) {
            return Optional.empty();
        }
        int length = in.getUnsignedShort(at + 6);
        if (length > MAX_HEADER) {
            throw new Malformed("a header of %d bytes is over %d".formatted(length, MAX_HEADER));
        }
        if (in.readableBytes() < HEAD + length) {
            return Optional.empty();
        }
        in.skipBytes(4);
        int version = in.readUnsignedByte();
        byte kind = in.readByte();
        in.skipBytes(2);
        byte[] header = new byte[length];
        in.readBytes(header);
        return Optional.of(new Opening(version, kind, header));
    }

    static ByteBuf accepted(byte[] reply) {
        if (reply.length > MAX_REPLY) {
            throw new IllegalArgumentException("a reply of %d bytes is over %d".formatted(reply.length, MAX_REPLY));
        }
        return answer(ACCEPTED, reply);
    }

    static ByteBuf refused(String code, String words) {
        byte[] text = (code + '\0' + words).getBytes(StandardCharsets.UTF_8);
        return answer(REFUSED, text.length <= MAX_WORDS ? text : Arrays.copyOf(text, MAX_WORDS));
    }

    private static ByteBuf answer(byte status, byte[] body) {
        ByteBuf out = Unpooled.buffer(ANSWER_HEAD + body.length, ANSWER_HEAD + body.length);
        out.writeByte(status);
        out.writeShort(body.length);
        return out.writeBytes(body);
    }

    static Optional<Answer> takeAnswer(ByteBuf in) {
        int at = in.readerIndex();
        if (in.readableBytes() >= 1 && in.getByte(at) != ACCEPTED && in.getByte(at) != REFUSED) {
            throw new Malformed("what answered is not a QuantaDB replication port");
        }
        if (in.readableBytes() < ANSWER_HEAD || in.readableBytes() < ANSWER_HEAD + in.getUnsignedShort(at + 1)) {
            return Optional.empty();
        }
        byte status = in.readByte();
        byte[] body = new byte[in.readUnsignedShort()];
        in.readBytes(body);
        if (status == ACCEPTED) {
            return Optional.of(new Answer(body, null, null));
        }
        String text = new String(body, StandardCharsets.UTF_8);
        int nul = text.indexOf('\0');
        return Optional.of(
                nul < 0
                        ? new Answer(body, "refused", text)
                        : new Answer(body, text.substring(0, nul), text.substring(nul + 1)));
    }
}
