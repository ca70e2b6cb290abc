package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a primary tells its standbys once a second: from where on it keeps WAL for each member. They keep the same, so
 * that whoever is promoted can feed the others. A member that is not named needs none: its WAL is gone already. Under the
 * primary's own name stands how far its WAL goes, which moves no slot; older releases do not say it.
 *
 * <pre>
 * | int8 format = 1 | int64 epoch | int16 count | count times: string node id, int64 lsn |
 * </pre>
 *
 * @param epoch of the primary that says so; it counts in that epoch alone
 */
public record KeptWal(long epoch, Map<NodeId, Lsn> from) {
    private static final int FORMAT = 1;

    public KeptWal {
        from = Collections.unmodifiableMap(new TreeMap<>(from));
    }

    /** How far the WAL of this primary goes; {@link Lsn#NONE} when it did not say, or said it in another epoch. */
    public Lsn end(NodeId primary, long inEpoch) {
        return epoch == inEpoch ? from.getOrDefault(primary, Lsn.NONE) : Lsn.NONE;
    }

    public byte[] encode() {
        var out = new Wire.Out().b(FORMAT).l(epoch).count(from.size());
        from.forEach((node, lsn) -> out.node(node).lsn(lsn));
        return out.done();
    }

    /** Throws {@link IllegalArgumentException} for bytes that no {@link #encode} of a known format wrote. */
    public static KeptWal decode(byte[] bytes) {
        var in = new Wire.In(bytes);
        int format = in.b();
        if (format != FORMAT) {
            throw new IllegalArgumentException("kept WAL of format %d is not known here".formatted(format));
        }
        long epoch = in.l();
        var from = new TreeMap<NodeId, Lsn>();
        for (int n = in.count(ClusterState.MAX_MEMBERS); n > 0; n--) {
            from.put(in.node(), in.lsn());
        }
        in.end();
        return new KeptWal(epoch, from);
    }
}
