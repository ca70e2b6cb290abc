package io.quantadb.node.cluster;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The plain parts that the three codecs of this package are made of: big-endian numbers, strings as a 16-bit length
 * and UTF-8, lists as a 16-bit count, an absent value as a zero byte. Every read checks its limit and throws {@link
 * IllegalArgumentException} for anything that no writer wrote.
 */
final class Wire {
    private Wire() {}

    /** A growing buffer. */
    static final class Out {
        private ByteBuffer buffer = ByteBuffer.allocate(256);

        private ByteBuffer room(int bytes) {
            if (buffer.remaining() < bytes) {
                var larger = ByteBuffer.allocate(Math.max(buffer.capacity() * 2, buffer.position() + bytes));
                larger.put(buffer.flip());
                buffer = larger;
            }
            return buffer;
        }

        Out b(int v) {
            room(1).put((byte) v);
            return this;
        }

        /** By place in the declaration: values of the enums here are only ever added at the end. */
        @SuppressWarnings("EnumOrdinal")
        Out e(Enum<?> v) {
            return b(v.ordinal());
        }

        @SuppressWarnings("EnumOrdinal")
        Out eOrNull(@Nullable Enum<?> v) {
            return b(v == null ? 0xFF : v.ordinal());
        }

        Out flag(boolean v) {
            return b(v ? 1 : 0);
        }

        Out count(int v) {
            if (v < 0 || v > 0xFFFF) {
                throw new IllegalArgumentException("%d elements are more than can be written".formatted(v));
            }
            room(2).putShort((short) v);
            return this;
        }

        Out i(int v) {
            room(4).putInt(v);
            return this;
        }

        Out l(long v) {
            room(8).putLong(v);
            return this;
        }

        Out s(String v) {
            byte[] bytes = v.getBytes(StandardCharsets.UTF_8);
            if (bytes.length > 1024) {
                bytes = Arrays.copyOf(bytes, 1024);
            }
            count(bytes.length);
            room(bytes.length).put(bytes);
            return this;
        }

        Out node(@Nullable NodeId v) {
            return s(v == null ? "" : v.value());
        }

        Out peer(PeerId v) {
            return node(v.node()).l(v.incarnation());
        }

        Out lsn(Lsn v) {
            return l(v.value());
        }

        Out position(@Nullable Position v) {
            flag(v != null);
            return v == null ? this : i(v.timeline()).lsn(v.lsn());
        }

        Out rule(@Nullable Rule v) {
            flag(v != null);
            if (v == null) {
                return this;
            }
            b(v.k()).count(v.set().size());
            v.set().forEach(ref -> node(ref.node()).l(ref.generation()));
            return this;
        }

        Out addresses(Addresses v) {
            return host(v.sql())
                    .host(v.replication())
                    .host(v.raft())
                    .host(v.api())
                    .host(v.primarySql());
        }

        private Out host(HostPort v) {
            return s(v.host()).i(v.port());
        }

        byte[] done() {
            return Arrays.copyOf(buffer.array(), buffer.position());
        }
    }

    /** Reads what {@link Out} wrote. */
    static final class In {
        private final ByteBuffer buffer;

        In(byte[] bytes) {
            buffer = ByteBuffer.wrap(bytes);
        }

        private ByteBuffer need(int bytes) {
            if (buffer.remaining() < bytes) {
                throw new IllegalArgumentException("ends after %d bytes".formatted(buffer.limit()));
            }
            return buffer;
        }

        int b() {
            return need(1).get() & 0xFF;
        }

        boolean flag() {
            int v = b();
            if (v > 1) {
                throw new IllegalArgumentException("%d is neither yes nor no".formatted(v));
            }
            return v == 1;
        }

        int count(int max) {
            int v = need(2).getShort() & 0xFFFF;
            if (v > max) {
                throw new IllegalArgumentException("%d is more than %d".formatted(v, max));
            }
            return v;
        }

        int i() {
            return need(4).getInt();
        }

        long l() {
            return need(8).getLong();
        }

        String s() {
            byte[] bytes = new byte[count(1024)];
            need(bytes.length).get(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        }

        @Nullable
        NodeId nodeOrNull() {
            String v = s();
            return v.isEmpty() ? null : new NodeId(v);
        }

        NodeId node() {
            return new NodeId(s());
        }

        PeerId peer() {
            return new PeerId(node(), l());
        }

        Lsn lsn() {
            return new Lsn(l());
        }

        @Nullable
        Position position() {
            return flag() ? new Position(i(), lsn()) : null;
        }

        Position somePosition() {
            return some(position());
        }

        @Nullable
        Rule ruleOrNull() {
            if (!flag()) {
                return null;
            }
            int k = b();
            int size = count(ClusterState.MAX_MEMBERS);
            var set = new TreeSet<MemberRef>();
            for (int n = 0; n < size; n++) {
                set.add(new MemberRef(node(), l()));
            }
            return new Rule(set, k);
        }

        Rule rule() {
            return some(ruleOrNull());
        }

        Addresses addresses() {
            return new Addresses(host(), host(), host(), host(), host());
        }

        private HostPort host() {
            return new HostPort(s(), i());
        }

        <E extends Enum<E>> E of(E[] values) {
            int v = b();
            if (v >= values.length) {
                throw new IllegalArgumentException("%d is not one of %d values".formatted(v, values.length));
            }
            return values[v];
        }

        <E extends Enum<E>> @Nullable E ofOrNull(E[] values) {
            boolean absent = (need(1).get(buffer.position()) & 0xFF) == 0xFF;
            if (absent) {
                var _ = b();
                return null;
            }
            return of(values);
        }

        void end() {
            if (buffer.hasRemaining()) {
                throw new IllegalArgumentException("%d bytes too many".formatted(buffer.remaining()));
            }
        }

        private static <T> T some(@Nullable T v) {
            if (v == null) {
                throw new IllegalArgumentException("a part is missing");
            }
            return v;
        }
    }
}
