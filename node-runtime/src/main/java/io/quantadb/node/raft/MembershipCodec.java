package io.quantadb.node.raft;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A membership and its peers as bytes, the same in log entries, snapshots and on the wire.
 * <pre>
 * membership: | int8 version=1 | int8 voters | peer... | int8 learners | peer... |
 * peer:       | int8 length 1..63 | node id, ASCII | int64 incarnation |
 * </pre>
 * <p>Reading throws {@link IllegalArgumentException} for anything else.
 */
public final class MembershipCodec {
    private static final byte VERSION = 1;
    private static final int NODE_ID_BYTES_MAX = 63;

    private MembershipCodec() {}

    public static byte[] encode(Membership m) {
        ByteBuffer out =
                ByteBuffer.allocate(3 + (m.voters().size() + m.learners().size()) * (NODE_ID_BYTES_MAX + 9));
        out.put(VERSION);
        writePeers(out, m.voters());
        writePeers(out, m.learners());
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    public static Membership decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        require(in, 1);
        byte version = in.get();
        if (version != VERSION) {
            throw new IllegalArgumentException("membership version %d is not known to this release".formatted(version));
        }
        SortedSet<PeerId> voters = readPeers(in, Membership.VOTERS_MAX);
        SortedSet<PeerId> learners = readPeers(in, Membership.LEARNERS_MAX);
        if (in.hasRemaining()) {
            throw new IllegalArgumentException("%d bytes too many after a membership".formatted(in.remaining()));
        }
        return new Membership(voters, learners);
    }

    static void writePeer(ByteBuffer out, PeerId peer) {
        byte[] node = peer.node().value().getBytes(StandardCharsets.US_ASCII);
        out.put((byte) node.length).put(node).putLong(peer.incarnation());
    }

    static PeerId readPeer(ByteBuffer in) {
        require(in, 1);
        int length = in.get();
        if (length < 1 || length > NODE_ID_BYTES_MAX) {
            throw new IllegalArgumentException("a node id of %d bytes".formatted(length));
        }
        require(in, length + Long.BYTES);
        byte[] node = new byte[length];
        in.get(node);
        return new PeerId(new NodeId(new String(node, StandardCharsets.US_ASCII)), in.getLong());
    }

    static void require(ByteBuffer in, int bytes) {
        if (bytes < 0 || in.remaining() < bytes) {
            throw new IllegalArgumentException("cut short: %d bytes wanted, %d left".formatted(bytes, in.remaining()));
        }
    }

    private static void writePeers(ByteBuffer out, SortedSet<PeerId> peers) {
        out.put((byte) peers.size());
        peers.forEach(p -> writePeer(out, p));
    }

    private static SortedSet<PeerId> readPeers(ByteBuffer in, int max) {
        require(in, 1);
        int count = in.get();
        if (count < 0 || count > max) {
            throw new IllegalArgumentException("%d members where at most %d are allowed".formatted(count, max));
        }
        SortedSet<PeerId> peers = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            peers.add(readPeer(in));
        }
        return peers;
    }
}
