package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.ProtocolViolation;

/**
 * What travels inside CopyData while physical replication streams. Times are microseconds since 2000-01-01 UTC
 * ({@link #MICROS_OF_2000} is that instant in microseconds of the Unix epoch). Source: PostgreSQL documentation,
 * "Streaming Replication Protocol".
 */
public sealed interface ReplicationMessage {
    long MICROS_OF_2000 = 946_684_800_000_000L;

    /** Converts Unix milliseconds to the protocol's microseconds. */
    static long toPgMicros(long unixMillis) {
        return unixMillis * 1000 - MICROS_OF_2000;
    }

    /**
     * WAL from the server: {@code | 'w' | int64 start | int64 server's end | int64 time | bytes |}.
     *
     * @param data a view into the body it was read from, alive as long as that is; not a copy
     */
    record XLogData(Lsn start, Lsn serverEnd, long timeMicros, ByteBuf data) implements ReplicationMessage {
        /** Bytes before the WAL itself. */
        public static final int HEADER_BYTES = 25;

        /** The position after the last byte of {@code data}. */
        public Lsn end() {
            return start.plus(data.readableBytes());
        }
    }

    /** From the server: {@code | 'k' | int64 server's end | int64 time | int8 reply now |}. */
    record Keepalive(Lsn serverEnd, long timeMicros, boolean replyRequested) implements ReplicationMessage {}

    /** From the standby: {@code | 'r' | int64 written | int64 flushed | int64 applied | int64 time | int8 reply |}. */
    record StandbyStatus(Lsn written, Lsn flushed, Lsn applied, long timeMicros, boolean replyRequested)
            implements ReplicationMessage {}

    /** From the standby: {@code | 'h' | int64 time | int32 xmin | int32 epoch | int32 catalog xmin | int32 epoch |}. */
    record HotStandbyFeedback(long timeMicros, int xmin, int xminEpoch, int catalogXmin, int catalogXminEpoch)
            implements ReplicationMessage {}

    /** A kind that this release does not know, such as {@code 'p'} of later servers: safe to pass on unread. */
    record Unknown(char kind) implements ReplicationMessage {}

    /** Reads a CopyData body; it keeps its indices, and {@link XLogData} keeps a view of it. */
    static ReplicationMessage parse(ByteBuf body) {
        ByteBuf in = body.duplicate();
        Messages.require(in, 1);
        char kind = (char) in.readUnsignedByte();
        return switch (kind) {
            case 'w' -> {
                requireRest(in, 24, kind, true);
                yield new XLogData(new Lsn(in.readLong()), new Lsn(in.readLong()), in.readLong(), in.slice());
            }
            case 'k' -> {
                requireRest(in, 17, kind, false);
                yield new Keepalive(new Lsn(in.readLong()), in.readLong(), in.readByte() != 0);
            }
            case 'r' -> {
                requireRest(in, 33, kind, false);
                yield new StandbyStatus(
                        new Lsn(in.readLong()),
                        new Lsn(in.readLong()),
                        new Lsn(in.readLong()),
                        in.readLong(),
                        in.readByte() != 0);
            }
            case 'h' -> {
                requireRest(in, 24, kind, false);
                yield new HotStandbyFeedback(in.readLong(), in.readInt(), in.readInt(), in.readInt(), in.readInt());
            }
            default -> new Unknown(kind);
        };
    }

    /** The whole CopyData message; an {@link XLogData}'s bytes are copied into it. */
    default ByteBuf encode() {
        return Messages.message(Tag.COPY_DATA, out -> {
            switch (this) {
                case XLogData(Lsn start, Lsn end, long time, ByteBuf data) ->
                    out.writeByte('w')
                            .writeLong(start.value())
                            .writeLong(end.value())
                            .writeLong(time)
                            .writeBytes(data, data.readerIndex(), data.readableBytes());
                case Keepalive(Lsn end, long time, boolean reply) ->
                    out.writeByte('k').writeLong(end.value()).writeLong(time).writeBoolean(reply);
                case StandbyStatus(Lsn written, Lsn flushed, Lsn applied, long time, boolean reply) ->
                    out.writeByte('r')
                            .writeLong(written.value())
                            .writeLong(flushed.value())
                            .writeLong(applied.value())
                            .writeLong(time)
                            .writeBoolean(reply);
                case HotStandbyFeedback(long time, int xmin, int epoch, int catalogXmin, int catalogEpoch) ->
                    out.writeByte('h')
                            .writeLong(time)
                            .writeInt(xmin)
                            .writeInt(epoch)
                            .writeInt(catalogXmin)
                            .writeInt(catalogEpoch);
                case Unknown(char kind) ->
                    throw new IllegalArgumentException("replication message '%c' is not ours to build".formatted(kind));
            }
        });
    }

    private static void requireRest(ByteBuf in, int bytes, char kind, boolean moreAllowed) {
        if (in.readableBytes() < bytes || (!moreAllowed && in.readableBytes() > bytes)) {
            throw new ProtocolViolation(
                    SqlState.PROTOCOL_VIOLATION,
                    "replication message '%c' has %d bytes".formatted(kind, in.readableBytes() + 1));
        }
    }
}
