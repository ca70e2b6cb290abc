package io.quantadb.node.raftlog;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.HardState;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The hard state as the value of a {@link DurableSlots}, with how far the log was on disk when it was written: a log
 * that is shorter has lost something.
 * <pre>
 * | int8 version | int64 term | int8 disowned, 2: regressed | int64 log sequence | int8 length of the vote's node id, 0: none |
 * | node id | int64 incarnation |
 * </pre>
 * Version 1, and 2 where it is regressed: a release that knows only the first would take that for a voter.
 */
final class HardStateCodec {
    private static final byte VERSION = 1;
    private static final byte VERSION_REGRESSED = 2;
    private static final byte DISOWNED = 1;
    private static final byte REGRESSED = 2;

    record Stored(HardState state, long logSequence) {}

    private HardStateCodec() {}

    static byte[] encode(Stored stored) {
        HardState state = stored.state();
        ByteBuffer out = ByteBuffer.allocate(128);
        out.put(state.regressed() ? VERSION_REGRESSED : VERSION)
                .putLong(state.term())
                .put(state.regressed() ? REGRESSED : state.disowned() ? DISOWNED : 0)
                .putLong(stored.logSequence());
        PeerId vote = state.vote();
        if (vote == null) {
            out.put((byte) 0);
        } else {
            byte[] node = vote.node().value().getBytes(StandardCharsets.US_ASCII);
            out.put((byte) node.length).put(node).putLong(vote.incarnation());
        }
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    static Stored decode(byte[] bytes) {
        try {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            byte version = in.get();
            if (version != VERSION && version != VERSION_REGRESSED) {
                throw new LocalFault("the hard state on disk has version %d: start a newer release".formatted(version));
            }
            long term = in.getLong();
            byte disowned = in.get();
            long sequence = in.getLong();
            byte[] node = new byte[in.get()];
            in.get(node);
            PeerId vote = node.length == 0
                    ? null
                    : new PeerId(new NodeId(new String(node, StandardCharsets.US_ASCII)), in.getLong());
            return new Stored(new HardState(term, vote, disowned != 0, disowned == REGRESSED), sequence);
        } catch (java.nio.BufferUnderflowException | NegativeArraySizeException | IllegalArgumentException e) {
            throw new LocalFault("the hard state on disk cannot be read: " + e.getMessage(), e);
        }
    }
}
