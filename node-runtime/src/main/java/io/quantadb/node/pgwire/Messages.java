package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Builds whole messages (header included, in unpooled heap buffers that the caller owns) and reads message bodies.
 * Readers take the body as {@link Frame#body()} gives it, move its reader index, keep nothing of it, and throw
 * {@link ProtocolViolation} when it is malformed. Source: PostgreSQL documentation, "Message Formats".
 */
public final class Messages {
    private static final int TEXT_OID = 25;

    private Messages() {}

    /** One parameter that the server announces, such as {@code server_version}. */
    public record ParameterStatus(String name, String value) {}

    /** One message: the body is what {@code body} writes. */
    public static ByteBuf message(char tag, Consumer<ByteBuf> body) {
        ByteBuf out = Unpooled.buffer(64);
        out.writeByte(tag).writeInt(0);
        body.accept(out);
        out.setInt(1, out.readableBytes() - 1);
        return out;
    }

    public static ByteBuf query(String sql) {
        return message(Tag.QUERY, out -> WireText.writeCString(out, sql));
    }

    public static ByteBuf terminate() {
        return message(Tag.TERMINATE, out -> {});
    }

    public static ByteBuf authenticationOk() {
        return message(Tag.AUTHENTICATION, out -> out.writeInt(0));
    }

    public static ByteBuf parameterStatus(String name, String value) {
        return message(Tag.PARAMETER_STATUS, out -> {
            WireText.writeCString(out, name);
            WireText.writeCString(out, value);
        });
    }

    /** {@code status} is 'I' (idle), 'T' (in a transaction) or 'E' (in a failed one). */
    public static ByteBuf readyForQuery(char status) {
        return message(Tag.READY_FOR_QUERY, out -> out.writeByte(status));
    }

    public static ByteBuf commandComplete(String tag) {
        return message(Tag.COMMAND_COMPLETE, out -> WireText.writeCString(out, tag));
    }

    /** Columns of type text. */
    public static ByteBuf rowDescription(String... columns) {
        return message(Tag.ROW_DESCRIPTION, out -> {
            out.writeShort(columns.length);
            for (String column : columns) {
                WireText.writeCString(out, column);
                // table oid, attribute number, type oid, type size (variable), type modifier (none), format (text)
                out.writeInt(0)
                        .writeShort(0)
                        .writeInt(TEXT_OID)
                        .writeShort(-1)
                        .writeInt(-1)
                        .writeShort(0);
            }
        });
    }

    public static ByteBuf dataRow(List<? extends @Nullable String> values) {
        return message(Tag.DATA_ROW, out -> {
            out.writeShort(values.size());
            for (String value : values) {
                if (value == null) {
                    out.writeInt(-1);
                } else {
                    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                    out.writeInt(bytes.length).writeBytes(bytes);
                }
            }
        });
    }

    /** Answers START_REPLICATION: from here on both sides send CopyData. */
    public static ByteBuf copyBothResponse() {
        return message(Tag.COPY_BOTH_RESPONSE, out -> out.writeByte(0).writeShort(0));
    }

    /** Wraps {@code payload} (whose readable bytes are copied; not released). */
    public static ByteBuf copyData(ByteBuf payload) {
        return message(Tag.COPY_DATA, out -> out.writeBytes(payload, payload.readerIndex(), payload.readableBytes()));
    }

    /** The five bytes before a CopyData body of {@code bodyBytes}, for who writes the body on without copying it. */
    public static ByteBuf copyDataHeader(int bodyBytes) {
        return Unpooled.buffer(5).writeByte(Tag.COPY_DATA).writeInt(4 + bodyBytes);
    }

    public static ByteBuf copyDone() {
        return message(Tag.COPY_DONE, out -> {});
    }

    public static ByteBuf copyFail(String why) {
        return message(Tag.COPY_FAIL, out -> WireText.writeCString(out, why));
    }

    public static ParameterStatus parseParameterStatus(ByteBuf body) {
        String name = WireText.readCString(body);
        return new ParameterStatus(name, WireText.readCString(body));
    }

    /** The transaction status: 'I', 'T' or 'E'. */
    public static char parseReadyForQuery(ByteBuf body) {
        require(body, 1);
        return (char) body.readUnsignedByte();
    }

    public static String parseCommandComplete(ByteBuf body) {
        return WireText.readCString(body);
    }

    public static String parseQuery(ByteBuf body) {
        return WireText.readCString(body);
    }

    /** Zero is AuthenticationOk. */
    public static int parseAuthentication(ByteBuf body) {
        require(body, 4);
        return body.readInt();
    }

    /** The names of the columns. */
    public static List<String> parseRowDescription(ByteBuf body) {
        require(body, 2);
        int count = body.readUnsignedShort();
        List<String> names = new ArrayList<>(Math.min(count, 64));
        for (int i = 0; i < count; i++) {
            names.add(WireText.readCString(body));
            require(body, 18);
            body.skipBytes(18);
        }
        return List.copyOf(names);
    }

    /** The values as text; null where SQL has null. */
    public static List<@Nullable String> parseDataRow(ByteBuf body) {
        require(body, 2);
        int count = body.readUnsignedShort();
        List<@Nullable String> values = new ArrayList<>(Math.min(count, 64));
        for (int i = 0; i < count; i++) {
            require(body, 4);
            int bytes = body.readInt();
            if (bytes < 0) {
                values.add(null);
            } else {
                require(body, bytes);
                values.add(body.toString(body.readerIndex(), bytes, StandardCharsets.UTF_8));
                body.skipBytes(bytes);
            }
        }
        return Collections.unmodifiableList(values);
    }

    static void require(ByteBuf body, int bytes) {
        if (body.readableBytes() < bytes) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "a message is shorter than its contents");
        }
    }
}
