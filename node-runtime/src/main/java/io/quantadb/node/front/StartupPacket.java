package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The first packet of a client, once TLS is settled.
 * <pre>
 * | int32 length (counts itself, at most 10000) | int32 protocol or request code | ( name 0 value 0 ) * | 0 |
 * </pre>
 * Names and values are kept byte for byte (as ISO 8859-1). Source: PostgreSQL documentation, "Message Formats",
 * StartupMessage; the limit is PostgreSQL's own.
 */
record StartupPacket(int protocol, List<Parameter> parameters) {
    static final int LENGTH_MAX = 10_000;
    static final int LENGTH_MIN = 8;
    static final int CANCEL_REQUEST = 80877102;
    static final int SSL_REQUEST = 80877103;
    static final int GSSENC_REQUEST = 80877104;

    record Parameter(String name, String value) {}

    StartupPacket {
        parameters = List.copyOf(parameters);
    }

    /** Reads a whole packet, its length and code included; throws what the client is to be told. */
    static StartupPacket parse(ByteBuf packet) {
        int end = packet.writerIndex();
        int protocol = packet.getInt(packet.readerIndex() + 4);
        if (protocol >>> 16 != 3) {
            throw new ProtocolViolation(
                    "0A000",
                    "unsupported frontend protocol %d.%d: this server speaks 3"
                            .formatted(protocol >>> 16, protocol & 0xFFFF));
        }
        var parameters = new ArrayList<Parameter>();
        int at = packet.readerIndex() + 8;
        while (at < end && packet.getByte(at) != 0) {
            int nameEnd = packet.indexOf(at, end, (byte) 0);
            int valueEnd = nameEnd < 0 ? -1 : packet.indexOf(nameEnd + 1, end, (byte) 0);
            if (valueEnd < 0) {
                throw new ProtocolViolation("08P01", "invalid startup packet layout: a parameter has no end");
            }
            parameters.add(new Parameter(
                    packet.toString(at, nameEnd - at, StandardCharsets.ISO_8859_1),
                    packet.toString(nameEnd + 1, valueEnd - nameEnd - 1, StandardCharsets.ISO_8859_1)));
            at = valueEnd + 1;
        }
        if (at != end - 1) {
            throw new ProtocolViolation("08P01", "invalid startup packet layout: expected terminator as last byte");
        }
        return new StartupPacket(protocol, parameters);
    }

    /** The value that PostgreSQL would use for an exact name: the last one. */
    @Nullable
    String get(String name) {
        String found = null;
        for (Parameter parameter : parameters) {
            if (parameter.name.equals(name)) {
                found = parameter.value;
            }
        }
        return found;
    }

    /** All values of a setting; setting names know no case. */
    List<String> settings(String lowerCaseName) {
        return parameters.stream()
                .filter(p -> p.name.toLowerCase(Locale.ROOT).equals(lowerCaseName))
                .map(Parameter::value)
                .toList();
    }

    /** The same with exactly one value of a setting. */
    StartupPacket withSetting(String lowerCaseName, String value) {
        var changed = new ArrayList<Parameter>();
        for (Parameter parameter : parameters) {
            if (!parameter.name.toLowerCase(Locale.ROOT).equals(lowerCaseName)) {
                changed.add(parameter);
            }
        }
        changed.add(new Parameter(lowerCaseName, value));
        return new StartupPacket(protocol, changed);
    }

    String user() {
        String user = get("user");
        return user == null ? "" : user;
    }

    /** The database asked for; PostgreSQL takes the user's name when there is none. */
    String database() {
        String database = get("database");
        return database == null || database.isEmpty() ? user() : database;
    }

    /** Whether PostgreSQL would, or might, start a WAL sender for this. */
    boolean replication() {
        String value = get("replication");
        return value != null && !List.of("false", "off", "no", "0").contains(value.toLowerCase(Locale.ROOT));
    }

    ByteBuf encode(ByteBufAllocator allocator) {
        ByteBuf out = allocator.buffer(256);
        out.writeInt(0);
        out.writeInt(protocol);
        for (Parameter parameter : parameters) {
            out.writeCharSequence(parameter.name, StandardCharsets.ISO_8859_1);
            out.writeByte(0);
            out.writeCharSequence(parameter.value, StandardCharsets.ISO_8859_1);
            out.writeByte(0);
        }
        out.writeByte(0);
        out.setInt(0, out.writerIndex());
        return out;
    }
}
