package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Raft messages as bytes.
 * <pre>
 * | int8 version=2 | int8 type | int64 cluster | peer from | peer to | int64 term | fields of the type |
 * entry:    | int64 index | int64 term | int8 kind | int32 length | bytes |
 * snapshot: | int64 index | int64 term | int32 length | membership | int32 length | state |
 * peer:     as in {@link MembershipCodec};  booleans are one byte, 0 or 1; all big-endian
 * </pre>
 * <p>Reading throws {@link IllegalArgumentException} for anything that this class would not have written; sizes are
 * checked before memory is taken.
 */
public final class RaftCodec {
    /** No message is larger. */
    public static final int MESSAGE_BYTES_MAX = 1024 * 1024;

    /** 1 lacked the time for which an answer promises to wait, without which no lease can rest on it. */
    private static final byte VERSION = 2;

    private static final int PEER_BYTES_MAX = 1 + 63 + 8;
    private static final int ENTRY_HEADER = 8 + 8 + 1 + 4;
    private static final int ENTRIES_MAX = 1024;
    private static final int FIXED_BYTES_MAX = 2 + 8 + 2 * PEER_BYTES_MAX + 8 * 8;

    /** A message with its sender, its addressee and the cluster that it belongs to. */
    public record Envelope(long cluster, PeerId from, PeerId to, RaftMessage message) {}

    private RaftCodec() {}

    public static byte[] encode(Envelope e) {
        ByteBuffer out = ByteBuffer.allocate(FIXED_BYTES_MAX + variableBytes(e.message()));
        out.put(VERSION).put(type(e.message())).putLong(e.cluster());
        MembershipCodec.writePeer(out, e.from());
        MembershipCodec.writePeer(out, e.to());
        out.putLong(e.message().term());
        writeBody(out, e.message());
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    public static Envelope decode(byte[] bytes) {
        if (bytes.length > MESSAGE_BYTES_MAX) {
            throw new IllegalArgumentException("a message of %d bytes".formatted(bytes.length));
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        MembershipCodec.require(in, 2 + Long.BYTES);
        byte version = in.get();
        if (version != VERSION) {
            throw new IllegalArgumentException("message version %d is not known to this release".formatted(version));
        }
        byte type = in.get();
        long cluster = in.getLong();
        PeerId from = MembershipCodec.readPeer(in);
        PeerId to = MembershipCodec.readPeer(in);
        long term = readCount(in);
        RaftMessage m = readBody(in, type, term);
        if (in.hasRemaining()) {
            throw new IllegalArgumentException("%d bytes too many".formatted(in.remaining()));
        }
        return new Envelope(cluster, from, to, m);
    }

    private static byte type(RaftMessage m) {
        return switch (m) {
            case RaftMessage.PreVote v -> 1;
            case RaftMessage.PreVoteReply v -> 2;
            case RaftMessage.Vote v -> 3;
            case RaftMessage.VoteReply v -> 4;
            case RaftMessage.Append v -> 5;
            case RaftMessage.AppendReply v -> 6;
            case RaftMessage.Heartbeat v -> 7;
            case RaftMessage.HeartbeatReply v -> 8;
            case RaftMessage.InstallSnapshot v -> 9;
            case RaftMessage.TimeoutNow v -> 10;
            case RaftMessage.Disowned v -> 11;
        };
    }

    private static int variableBytes(RaftMessage m) {
        return switch (m) {
            case RaftMessage.Append a ->
                a.entries().stream()
                        .mapToInt(e -> ENTRY_HEADER + e.data().length)
                        .sum();
            case RaftMessage.InstallSnapshot i ->
                i.snapshot().state().length
                        + (Membership.VOTERS_MAX + Membership.LEARNERS_MAX) * PEER_BYTES_MAX
                        + ENTRY_HEADER;
            default -> 0;
        };
    }

    private static void writeBody(ByteBuffer out, RaftMessage m) {
        switch (m) {
            case RaftMessage.PreVote v ->
                out.putLong(v.nextTerm()).putLong(v.lastIndex()).putLong(v.lastTerm());
            case RaftMessage.PreVoteReply v ->
                out.putLong(v.nextTerm()).put(bool(v.granted())).putLong(v.waitNanos());
            case RaftMessage.Vote v ->
                out.putLong(v.lastIndex()).putLong(v.lastTerm()).put(bool(v.transfer()));
            case RaftMessage.VoteReply v -> out.put(bool(v.granted())).putLong(v.waitNanos());
            case RaftMessage.Append v -> {
                out.putLong(v.prevIndex())
                        .putLong(v.prevTerm())
                        .putLong(v.commit())
                        .putLong(v.sentNanos());
                out.putInt(v.entries().size());
                v.entries().forEach(e -> writeEntry(out, e));
            }
            case RaftMessage.AppendReply v ->
                out.put(bool(v.accepted()))
                        .putLong(v.prevIndex())
                        .putLong(v.match())
                        .putLong(v.lastIndex())
                        .putLong(v.sentNanos())
                        .putLong(v.waitNanos());
            case RaftMessage.Heartbeat v -> out.putLong(v.commit()).putLong(v.sentNanos());
            case RaftMessage.HeartbeatReply v ->
                out.putLong(v.lastIndex()).putLong(v.sentNanos()).putLong(v.waitNanos());
            case RaftMessage.InstallSnapshot v -> {
                writeSnapshot(out, v.snapshot());
                out.putLong(v.sentNanos());
            }
            case RaftMessage.TimeoutNow v -> {}
            case RaftMessage.Disowned v -> out.put(bool(v.regressed()));
        }
    }

    private static RaftMessage readBody(ByteBuffer in, byte type, long term) {
        return switch (type) {
            case 1 -> new RaftMessage.PreVote(term, readCount(in), readCount(in), readCount(in));
            case 2 -> new RaftMessage.PreVoteReply(term, readCount(in), readBool(in), readCount(in));
            case 3 -> new RaftMessage.Vote(term, readCount(in), readCount(in), readBool(in));
            case 4 -> new RaftMessage.VoteReply(term, readBool(in), readCount(in));
            case 5 -> readAppend(in, term);
            case 6 ->
                new RaftMessage.AppendReply(
                        term, readBool(in), readCount(in), readCount(in), readCount(in), readLong(in), readCount(in));
            case 7 -> new RaftMessage.Heartbeat(term, readCount(in), readLong(in));
            case 8 -> new RaftMessage.HeartbeatReply(term, readCount(in), readLong(in), readCount(in));
            case 9 -> new RaftMessage.InstallSnapshot(term, readSnapshot(in), readLong(in));
            case 10 -> new RaftMessage.TimeoutNow(term);
            case 11 -> new RaftMessage.Disowned(term, readBool(in));
            default ->
                throw new IllegalArgumentException("message type %d is not known to this release".formatted(type));
        };
    }

    private static RaftMessage readAppend(ByteBuffer in, long term) {
        long prevIndex = readCount(in);
        long prevTerm = readCount(in);
        long commit = readCount(in);
        long sent = readLong(in);
        MembershipCodec.require(in, Integer.BYTES);
        int count = in.getInt();
        if (count < 0 || count > ENTRIES_MAX || (long) count * ENTRY_HEADER > in.remaining()) {
            throw new IllegalArgumentException("%d entries".formatted(count));
        }
        List<LogEntry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            LogEntry e = readEntry(in);
            if (e.index() != prevIndex + 1 + i || e.term() > term) {
                throw new IllegalArgumentException("entry %s does not follow index %d".formatted(e, prevIndex + i));
            }
            entries.add(e);
        }
        return new RaftMessage.Append(term, prevIndex, prevTerm, entries, commit, sent);
    }

    /** Appends one entry in the form that the wire and the log on disk share. */
    public static void writeEntry(ByteBuffer out, LogEntry e) {
        out.putLong(e.index())
                .putLong(e.term())
                .put(e.kind().code())
                .putInt(e.data().length)
                .put(e.data());
    }

    public static int entryBytes(LogEntry e) {
        return ENTRY_HEADER + e.data().length;
    }

    public static LogEntry readEntry(ByteBuffer in) {
        long index = readCount(in);
        long term = readCount(in);
        MembershipCodec.require(in, 1);
        EntryKind kind = EntryKind.of(in.get());
        byte[] data = readBytes(in);
        if (kind == EntryKind.MEMBERSHIP) {
            MembershipCodec.decode(data);
        }
        return new LogEntry(index, term, kind, data);
    }

    public static void writeSnapshot(ByteBuffer out, Snapshot s) {
        byte[] membership = MembershipCodec.encode(s.membership());
        out.putLong(s.index()).putLong(s.term()).putInt(membership.length).put(membership);
        out.putInt(s.state().length).put(s.state());
    }

    public static int snapshotBytes(Snapshot s) {
        return 8 + 8 + 4 + MembershipCodec.encode(s.membership()).length + 4 + s.state().length;
    }

    public static Snapshot readSnapshot(ByteBuffer in) {
        long index = readCount(in);
        long term = readCount(in);
        Membership membership = MembershipCodec.decode(readBytes(in));
        return new Snapshot(index, term, membership, readBytes(in));
    }

    private static byte[] readBytes(ByteBuffer in) {
        MembershipCodec.require(in, Integer.BYTES);
        int length = in.getInt();
        MembershipCodec.require(in, length);
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static long readLong(ByteBuffer in) {
        MembershipCodec.require(in, Long.BYTES);
        return in.getLong();
    }

    /** Terms, indices and durations: never negative. */
    private static long readCount(ByteBuffer in) {
        long value = readLong(in);
        if (value < 0) {
            throw new IllegalArgumentException("%d where nothing negative belongs".formatted(value));
        }
        return value;
    }

    private static byte bool(boolean b) {
        return (byte) (b ? 1 : 0);
    }

    private static boolean readBool(ByteBuffer in) {
        MembershipCodec.require(in, 1);
        byte b = in.get();
        if (b != 0 && b != 1) {
            throw new IllegalArgumentException("%d where 0 or 1 belongs".formatted(b));
        }
        return b == 1;
    }
}
