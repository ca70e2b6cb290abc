package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An ErrorResponse or NoticeResponse as its fields, in order, so that the front can read, change or make one.
 * <pre>
 * | int8 'E' or 'N' | int32 length | ( int8 field type | string | 0 ) * | 0 |
 * </pre>
 * Texts are kept byte for byte (as ISO 8859-1), whatever the client's encoding; the front's own words are ASCII, which
 * is right in all of them. Source: PostgreSQL documentation, "Error and Notice Message Fields".
 */
record Report(byte tag, List<Field> fields) {
    static final byte ERROR = 'E';
    static final byte NOTICE = 'N';

    static final char SEVERITY = 'V';
    static final char CODE = 'C';
    static final char MESSAGE = 'M';
    static final char DETAIL = 'D';
    static final char HINT = 'H';
    static final char ROUTINE = 'R';

    record Field(char type, String value) {}

    Report {
        fields = List.copyOf(fields);
    }

    /** A report that ends the connection. */
    static Report fatal(String sqlState, String message, @Nullable String detail, @Nullable String hint) {
        var fields = new ArrayList<Field>();
        fields.add(new Field('S', "FATAL"));
        fields.add(new Field(SEVERITY, "FATAL"));
        fields.add(new Field(CODE, sqlState));
        fields.add(new Field(MESSAGE, ascii(message)));
        if (detail != null) {
            fields.add(new Field(DETAIL, ascii(detail)));
        }
        if (hint != null) {
            fields.add(new Field(HINT, ascii(hint)));
        }
        return new Report(ERROR, fields);
    }

    /** Reads one whole message; null when it is not well formed. Leaves the reader index where it was. */
    static @Nullable Report parse(ByteBuf whole) {
        byte tag = whole.getByte(whole.readerIndex());
        int at = whole.readerIndex() + 5;
        int end = whole.writerIndex();
        var fields = new ArrayList<Field>();
        while (at < end) {
            byte type = whole.getByte(at);
            if (type == 0) {
                return at + 1 == end ? new Report(tag, fields) : null;
            }
            int stop = whole.indexOf(at + 1, end, (byte) 0);
            if (stop < 0) {
                return null;
            }
            fields.add(new Field(
                    (char) (type & 0xFF), whole.toString(at + 1, stop - at - 1, StandardCharsets.ISO_8859_1)));
            at = stop + 1;
        }
        return null;
    }

    /** The field's text, or null when it is absent. */
    @Nullable
    String get(char type) {
        for (Field field : fields) {
            if (field.type == type) {
                return field.value;
            }
        }
        return null;
    }

    boolean endsTheConnection() {
        String severity = get(SEVERITY);
        return tag == ERROR && ("FATAL".equals(severity) || "PANIC".equals(severity));
    }

    /** The same with one field replaced in its place, or added after the message. */
    Report with(char type, String value) {
        var changed = new ArrayList<Field>(fields.size() + 1);
        boolean found = false;
        for (Field field : fields) {
            if (field.type == type) {
                changed.add(new Field(type, ascii(value)));
                found = true;
            } else {
                changed.add(field);
            }
        }
        if (!found) {
            changed.add(new Field(type, ascii(value)));
        }
        return new Report(tag, changed);
    }

    ByteBuf encode(ByteBufAllocator allocator) {
        ByteBuf out = allocator.buffer(256);
        out.writeByte(tag);
        out.writeInt(0);
        for (Field field : fields) {
            out.writeByte(field.type);
            out.writeCharSequence(field.value, StandardCharsets.ISO_8859_1);
            out.writeByte(0);
        }
        out.writeByte(0);
        out.setInt(1, out.writerIndex() - 1);
        return out;
    }

    private static String ascii(String text) {
        return text.replace('\0', ' ');
    }
}
