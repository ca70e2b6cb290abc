package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Opens a session.
 *
 * <pre>
 * | int32 length | int16 major (3) | int16 minor | ( name\0 value\0 )* | \0 |   length counts itself
 * </pre>
 *
 * @param minor protocol minor version: 0, or 2 from PostgreSQL 18's clients; the server negotiates others
 * @param parameters in the client's order; of a name said twice the last value counts
 */
public record StartupMessage(int minor, Map<String, String> parameters) implements StartupPacket {
    /** libpq's and PostgreSQL's own bound is 10000 bytes after the length word. */
    static final int MAX_PACKET_BYTES = 10_004;

    public StartupMessage {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    /** A session of protocol 3.0. */
    public static StartupMessage of(Map<String, String> parameters) {
        return new StartupMessage(0, parameters);
    }

    public @Nullable String user() {
        return parameters.get("user");
    }

    /** As PostgreSQL does it: the user's name when no database is named. */
    public @Nullable String database() {
        String database = parameters.get("database");
        return database == null || database.isEmpty() ? user() : database;
    }

    public @Nullable String applicationName() {
        return parameters.get("application_name");
    }

    /** True for {@code replication=true} and for logical walsenders ({@code replication=database}). */
    public boolean isReplication() {
        String value = parameters.get("replication");
        return value != null && !isOff(value);
    }

    /** True when this asks for a walsender that can stream physical WAL. */
    public boolean isPhysicalReplication() {
        return isReplication() && !"database".equals(parameters.get("replication"));
    }

    private static boolean isOff(String value) {
        return switch (value.toLowerCase(java.util.Locale.ROOT)) {
            case "0", "off", "of", "false", "fals", "fal", "fa", "f", "no", "n" -> true;
            default -> false;
        };
    }

    /** The same with one parameter set. */
    public StartupMessage with(String name, String value) {
        Map<String, String> changed = new LinkedHashMap<>(parameters);
        changed.put(name, value);
        return new StartupMessage(minor, changed);
    }

    /** The same without one parameter. */
    public StartupMessage without(String name) {
        Map<String, String> changed = new LinkedHashMap<>(parameters);
        changed.remove(name);
        return new StartupMessage(minor, changed);
    }

    /** The packet's bytes, in an unpooled buffer that the caller owns. */
    public ByteBuf encode() {
        ByteBuf out = Unpooled.buffer(256);
        out.writeInt(0).writeShort(3).writeShort(minor);
        parameters.forEach((name, value) -> {
            WireText.writeCString(out, name);
            WireText.writeCString(out, value);
        });
        out.writeByte(0);
        out.setInt(0, out.readableBytes());
        return out;
    }

    /** Reads what follows the version word, up to the end of {@code body}. */
    static StartupMessage parse(int minor, ByteBuf body) {
        Map<String, String> parameters = new LinkedHashMap<>();
        while (body.isReadable()) {
            String name = WireText.readStrictCString(body);
            if (name.isEmpty()) {
                if (body.isReadable()) {
                    break;
                }
                return new StartupMessage(minor, parameters);
            }
            if (!body.isReadable()) {
                break;
            }
            parameters.put(name, WireText.readStrictCString(body));
        }
        throw new ProtocolViolation(
                SqlState.PROTOCOL_VIOLATION, "invalid startup packet layout: expected terminator as last byte");
    }
}
