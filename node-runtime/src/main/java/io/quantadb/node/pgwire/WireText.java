package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Zero-terminated strings, in UTF-8. */
final class WireText {
    private WireText() {}

    static void writeCString(ByteBuf out, String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a protocol string cannot hold a zero byte");
        }
        out.writeCharSequence(text, StandardCharsets.UTF_8);
        out.writeByte(0);
    }

    /** What a server says before the client's encoding holds may be in any encoding: bad bytes become U+FFFD. */
    static String readCString(ByteBuf in) {
        int bytes = bytesBeforeZero(in);
        String text = in.toString(in.readerIndex(), bytes, StandardCharsets.UTF_8);
        in.skipBytes(bytes + 1);
        return text;
    }

    /** For what is passed on or decided upon: a string that is not UTF-8 is refused, never changed silently. */
    static String readStrictCString(ByteBuf in) {
        int bytes = bytesBeforeZero(in);
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(in.nioBuffer(in.readerIndex(), bytes))
                    .toString();
            in.skipBytes(bytes + 1);
            return text;
        } catch (CharacterCodingException e) {
            ProtocolViolation violation =
                    new ProtocolViolation(SqlState.CHARACTER_NOT_IN_REPERTOIRE, "a start-up parameter is not UTF-8");
            violation.initCause(e);
            throw violation;
        }
    }

    private static int bytesBeforeZero(ByteBuf in) {
        int bytes = in.bytesBefore((byte) 0);
        if (bytes < 0) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "a string in a message has no end");
        }
        return bytes;
    }
}
