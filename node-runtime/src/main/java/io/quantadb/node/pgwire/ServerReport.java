package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fields of an ErrorResponse or NoticeResponse: {@code ( int8 field | value\0 )* | \0}.
 *
 * @param fields by their field letter, in the order they came; letters that we do not know are kept
 */
public record ServerReport(Map<Character, String> fields) {
    private static final int MAX_FIELDS = 64;

    public ServerReport {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** A report with the fields that every report must have; {@code severity} such as ERROR, FATAL or WARNING. */
    public static ServerReport of(String severity, String code, String message) {
        Map<Character, String> fields = new LinkedHashMap<>();
        fields.put('S', severity);
        fields.put('V', severity);
        fields.put('C', code);
        fields.put('M', message);
        return new ServerReport(fields);
    }

    public static ServerReport error(String code, String message) {
        return of("ERROR", code, message);
    }

    public static ServerReport fatal(String code, String message) {
        return of("FATAL", code, message);
    }

    public static ServerReport parse(ByteBuf body) {
        Map<Character, String> fields = new LinkedHashMap<>();
        while (body.isReadable()) {
            char field = (char) body.readUnsignedByte();
            if (field == 0) {
                return new ServerReport(fields);
            }
            if (fields.size() == MAX_FIELDS) {
                break;
            }
            fields.put(field, WireText.readCString(body));
        }
        throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "malformed error or notice message");
    }

    public ServerReport with(char field, String value) {
        Map<Character, String> changed = new LinkedHashMap<>(fields);
        changed.put(field, value);
        return new ServerReport(changed);
    }

    public ServerReport withDetail(String detail) {
        return with('D', detail);
    }

    public ServerReport withHint(String hint) {
        return with('H', hint);
    }

    public ServerReport withMessage(String message) {
        return with('M', message);
    }

    public ServerReport withCode(String code) {
        return with('C', code);
    }

    /** Never localised: ERROR, FATAL, PANIC, WARNING, NOTICE, DEBUG, INFO or LOG. */
    public String severity() {
        String plain = fields.get('V');
        return plain != null ? plain : fields.getOrDefault('S', "");
    }

    public String code() {
        return fields.getOrDefault('C', "");
    }

    public String message() {
        return fields.getOrDefault('M', "");
    }

    public @Nullable String detail() {
        return fields.get('D');
    }

    public @Nullable String hint() {
        return fields.get('H');
    }

    /** The C function that reported it, such as {@code SyncRepWaitForLSN}; never localised. */
    public @Nullable String routine() {
        return fields.get('R');
    }

    public ByteBuf encodeError() {
        return encode(Tag.ERROR_RESPONSE);
    }

    public ByteBuf encodeNotice() {
        return encode(Tag.NOTICE_RESPONSE);
    }

    private ByteBuf encode(char tag) {
        return Messages.message(tag, out -> {
            fields.forEach((field, value) -> {
                out.writeByte(field);
                WireText.writeCString(out, value);
            });
            out.writeByte(0);
        });
    }
}
