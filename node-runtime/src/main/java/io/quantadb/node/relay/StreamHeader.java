package io.quantadb.node.relay;

import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.common.NodeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What a member says when it opens a WAL or base-backup stream.
 *
 * <pre>
 * | int8 version = 1 | int8 n | n bytes node id | int64 incarnation | int64 generation | int64 epoch
 * | int32 checked timeline | int64 checked lsn |
 * </pre>
 *
 * @param epoch the stream's epoch; it is accepted only where exactly this epoch is served
 * @param checked the end of the member's WAL as its agent found it in the epoch history, or the byte where it takes up
 *     a checked stream that it was delivered before; a status counts up to here without anything delivered
 */
record StreamHeader(MemberRef member, long incarnation, long epoch, Position checked) {
    private static final byte VERSION = 1;
    private static final int FIXED = 2 + 8 + 8 + 8 + 4 + 8;

    byte[] encode() {
        byte[] node = member.node().value().getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(FIXED + node.length)
                .put(VERSION)
                .put((byte) node.length)
                .put(node)
                .putLong(incarnation)
                .putLong(member.generation())
                .putLong(epoch)
                .putInt(checked.timeline())
                .putLong(checked.lsn().value())
                .array();
    }

    /** Throws {@link ProtocolViolation} for anything that {@link #encode} did not make. */
    static StreamHeader decode(byte[] bytes) {
        WalMessages.require(bytes.length >= FIXED, "a stream header that is too short");
        ByteBuffer in = ByteBuffer.wrap(bytes);
        WalMessages.require(in.get() == VERSION, "a stream header of an unknown version");
        int length = in.get();
        WalMessages.require(length > 0 && bytes.length == FIXED + length, "a stream header of the wrong length");
        byte[] node = new byte[length];
        in.get(node);
        try {
            NodeId id = new NodeId(new String(node, StandardCharsets.US_ASCII));
            long incarnation = in.getLong();
            long generation = in.getLong();
            long epoch = in.getLong();
            Position checked = new Position(in.getInt(), new Lsn(in.getLong()));
            return new StreamHeader(new MemberRef(id, generation), incarnation, epoch, checked);
        } catch (IllegalArgumentException e) {
            throw new ProtocolViolation("08P01", "a stream header with a bad node id");
        }
    }
}
