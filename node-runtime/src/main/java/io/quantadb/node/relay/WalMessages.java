package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The messages of streaming replication that the relay reads or writes itself, as whole frames.
 *
 * <pre>
 * XLogData   d | len | 'w' | int64 start | int64 server's WAL end | int64 time | bytes
 * keepalive  d | len | 'k' | int64 server's WAL end | int64 time | int8 reply wanted
 * status     d | len | 'r' | int64 written | int64 flushed | int64 applied | int64 time | int8 reply wanted
 * </pre>
 *
 * <p>Times are microseconds since 2000-01-01. Source: PostgreSQL documentation, "Streaming Replication Protocol".
 */
final class WalMessages {
    static final byte COPY_DATA = 'd';
    static final byte COPY_DONE = 'c';
    static final byte COPY_BOTH = 'W';
    static final byte QUERY = 'Q';
    static final byte ERROR = 'E';
    static final byte READY = 'Z';
    static final byte TERMINATE = 'X';
    static final byte COMMAND_COMPLETE = 'C';
    static final byte ROW_DESCRIPTION = 'T';
    static final byte DATA_ROW = 'D';

    /** Offset of a CopyData's payload in its frame. */
    static final int PAYLOAD = 5;

    static final int XLOG_HEADER = 25;
    static final int KEEPALIVE_BYTES = 18;
    static final int STATUS_BYTES = 34;
    private static final int KEEPALIVE_REPLY_AT = PAYLOAD + 17;
    private static final int WRITTEN_AT = PAYLOAD + 1;
    private static final int FLUSHED_AT = PAYLOAD + 9;
    private static final int APPLIED_AT = PAYLOAD + 17;
    private static final int STATUS_REPLY_AT = PAYLOAD + 33;

    private WalMessages() {}

    /** The first byte of a CopyData's payload. */
    static byte kind(ByteBuf copyData) {
        require(copyData.readableBytes() > PAYLOAD, "an empty CopyData");
        return copyData.getByte(copyData.readerIndex() + PAYLOAD);
    }

    /** Where an XLogData begins. */
    static Lsn dataStart(ByteBuf xlogData) {
        require(xlogData.readableBytes() >= PAYLOAD + XLOG_HEADER, "an XLogData that is too short");
        return lsn(xlogData, PAYLOAD + 1);
    }

    /** The end of an XLogData's bytes. */
    static Lsn dataEnd(ByteBuf xlogData) {
        return dataStart(xlogData).plus(xlogData.readableBytes() - PAYLOAD - XLOG_HEADER);
    }

    /** What the server had flushed when it sent this XLogData or keepalive, or less. */
    static Lsn serverEnd(ByteBuf frame) {
        if (kind(frame) == 'w') {
            require(frame.readableBytes() >= PAYLOAD + XLOG_HEADER, "an XLogData that is too short");
            return lsn(frame, PAYLOAD + 9);
        }
        require(frame.readableBytes() == PAYLOAD + KEEPALIVE_BYTES, "a keepalive of the wrong length");
        return lsn(frame, PAYLOAD + 1);
    }

    /** Whether a CopyData of the server's is a keepalive that wants a status at once. */
    static boolean asksForStatus(ByteBuf frame) {
        if (kind(frame) != 'k') {
            return false;
        }
        require(frame.readableBytes() == PAYLOAD + KEEPALIVE_BYTES, "a keepalive of the wrong length");
        return frame.getByte(frame.readerIndex() + KEEPALIVE_REPLY_AT) != 0;
    }

    /** A receiver's status: positions that are 0 are unknown. */
    record Status(Lsn written, Lsn flushed, Lsn applied, boolean replyWanted) {
        static final Status NONE = new Status(Lsn.NONE, Lsn.NONE, Lsn.NONE, false);

        /**
         * Whether this tells of more that is written and of nothing more that is flushed: a receiver says so when it is about
         * to flush, and soon says more. What it says of replay is as old as its last word.
         */
        boolean comesBeforeAFlush(Status before) {
            return written.compareTo(before.written) > 0 && flushed.equals(before.flushed) && !replyWanted;
        }

        /** The same, counting no further than {@code cap}. */
        Status cappedAt(Lsn cap) {
            return new Status(Lsn.min(written, cap), Lsn.min(flushed, cap), Lsn.min(applied, cap), replyWanted);
        }
    }

    static Status status(ByteBuf frame) {
        require(frame.readableBytes() == PAYLOAD + STATUS_BYTES, "a status of the wrong length");
        return new Status(
                lsn(frame, WRITTEN_AT),
                lsn(frame, FLUSHED_AT),
                lsn(frame, APPLIED_AT),
                frame.getByte(frame.readerIndex() + STATUS_REPLY_AT) != 0);
    }

    /** Overwrites the positions of a status in place. */
    static void rewrite(ByteBuf frame, Status status) {
        frame.setLong(frame.readerIndex() + WRITTEN_AT, status.written().value());
        frame.setLong(frame.readerIndex() + FLUSHED_AT, status.flushed().value());
        frame.setLong(frame.readerIndex() + APPLIED_AT, status.applied().value());
    }

    static ByteBuf status(ByteBufAllocator allocator, Status status) {
        ByteBuf frame = allocator.buffer(PAYLOAD + STATUS_BYTES);
        frame.writeByte(COPY_DATA).writeInt(4 + STATUS_BYTES).writeByte('r');
        frame.writeLong(status.written().value());
        frame.writeLong(status.flushed().value());
        frame.writeLong(status.applied().value());
        return frame.writeLong(0).writeByte(status.replyWanted() ? 1 : 0);
    }

    static ByteBuf keepalive(ByteBufAllocator allocator, Lsn end, boolean replyWanted) {
        ByteBuf frame = allocator.buffer(PAYLOAD + KEEPALIVE_BYTES);
        frame.writeByte(COPY_DATA).writeInt(4 + KEEPALIVE_BYTES).writeByte('k');
        return frame.writeLong(end.value()).writeLong(0).writeByte(replyWanted ? 1 : 0);
    }

    static ByteBuf query(ByteBufAllocator allocator, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ByteBuf frame = allocator.buffer(6 + bytes.length);
        return frame.writeByte(QUERY)
                .writeInt(5 + bytes.length)
                .writeBytes(bytes)
                .writeByte(0);
    }

    static String queryText(ByteBuf frame) {
        int length = frame.readableBytes() - PAYLOAD - 1;
        require(length >= 0 && frame.getByte(frame.writerIndex() - 1) == 0, "a query without its end");
        return frame.toString(frame.readerIndex() + PAYLOAD, length, StandardCharsets.UTF_8);
    }

    /** The startup packet of protocol 3.0. */
    static ByteBuf startup(ByteBufAllocator allocator, Map<String, String> parameters) {
        ByteBuf packet = allocator.buffer(256);
        packet.writeInt(0).writeInt(3 << 16);
        parameters.forEach((key, value) -> {
            string(packet, key);
            string(packet, value);
        });
        packet.writeByte(0);
        return packet.setInt(0, packet.readableBytes());
    }

    /** The key/value pairs of a startup packet's body, after the version. */
    static Map<String, String> parameters(ByteBuf body) {
        Map<String, String> parameters = new LinkedHashMap<>();
        while (body.isReadable()) {
            String key = string(body);
            if (key.isEmpty()) {
                return parameters;
            }
            parameters.put(key, string(body));
        }
        throw new ProtocolViolation("08P01", "a startup packet without its end");
    }

    static ByteBuf parameterStatus(ByteBufAllocator allocator, String key, String value) {
        ByteBuf frame = allocator.buffer(64);
        frame.writeByte('S').writeInt(0);
        string(frame, key);
        string(frame, value);
        return frame.setInt(1, frame.readableBytes() - 1);
    }

    static ByteBuf error(ByteBufAllocator allocator, String sqlState, String words) {
        ByteBuf frame = allocator.buffer(128);
        frame.writeByte(ERROR).writeInt(0);
        string(frame, "SFATAL");
        string(frame, "VFATAL");
        string(frame, "C" + sqlState);
        string(frame, "M" + words);
        frame.writeByte(0);
        return frame.setInt(1, frame.readableBytes() - 1);
    }

    /** What an ErrorResponse says. */
    record ServerError(String sqlState, String message) {
        /** Class 57 is the server going away or not ready yet; anything else is a verdict on what was asked. */
        boolean serverIsLeaving() {
            return sqlState.startsWith("57");
        }

        /**
         * The next segment, or a file that leads to it, is not there any more: undefined_file, or an internal error when
         * it went while it was being read (the server speaks English, which the cluster owns).
         */
        boolean walIsRemoved() {
            return sqlState.equals("58P01")
                    || (sqlState.equals("XX000") && message.contains("has already been removed"));
        }

        /** The slot's last stream has not quite ended. */
        boolean slotIsInUse() {
            return sqlState.equals("55006");
        }

        @Override
        public String toString() {
            return sqlState.isEmpty() ? message : message + " (" + sqlState + ")";
        }
    }

    static ServerError error(ByteBuf frame) {
        ByteBuf body = frame.slice(frame.readerIndex() + PAYLOAD, frame.readableBytes() - PAYLOAD);
        String code = "";
        String message = "";
        while (body.isReadable()) {
            byte field = body.readByte();
            if (field == 0) {
                break;
            }
            String value = string(body);
            if (field == 'C') {
                code = value;
            } else if (field == 'M') {
                message = value;
            }
        }
        return new ServerError(code, message);
    }

    /** The first row's columns as text, from a DataRow frame; null columns stay null. */
    static @Nullable String[] row(ByteBuf frame) {
        ByteBuf body = frame.slice(frame.readerIndex() + PAYLOAD, frame.readableBytes() - PAYLOAD);
        require(body.readableBytes() >= 2, "a row that is too short");
        int count = body.readUnsignedShort();
        require(count <= 64, "a row with too many columns");
        @Nullable String[] columns = new String[count];
        for (int i = 0; i < count; i++) {
            require(body.readableBytes() >= 4, "a row that is too short");
            int length = body.readInt();
            if (length >= 0) {
                require(body.readableBytes() >= length, "a row that is too short");
                columns[i] =
                        body.readCharSequence(length, StandardCharsets.UTF_8).toString();
            }
        }
        return columns;
    }

    private static Lsn lsn(ByteBuf frame, int at) {
        return new Lsn(frame.getLong(frame.readerIndex() + at));
    }

    private static void string(ByteBuf out, String text) {
        ByteBufUtil.writeUtf8(out, text);
        out.writeByte(0);
    }

    private static String string(ByteBuf in) {
        int length = in.bytesBefore((byte) 0);
        require(length >= 0, "a string without its end");
        String text = in.readCharSequence(length, StandardCharsets.UTF_8).toString();
        in.skipBytes(1);
        return text;
    }

    static void require(boolean condition, String what) {
        if (!condition) {
            throw new ProtocolViolation("08P01", what);
        }
    }
}
