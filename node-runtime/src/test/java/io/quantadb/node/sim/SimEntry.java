package io.quantadb.node.sim;

import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.CommandCodec;
import java.util.Arrays;

/** A command as the model's releases write it: the version, also ones that no real release has yet, then the real bytes. */
final class SimEntry {
    private SimEntry() {}

    static byte[] of(int version, Command command) {
        byte[] real = CommandCodec.encode(command, ClusterVersion.NEWEST);
        byte[] entry = new byte[real.length + 1];
        entry[0] = (byte) version;
        System.arraycopy(real, 0, entry, 1, real.length);
        return entry;
    }

    static int version(byte[] entry) {
        return entry[0];
    }

    static Command command(byte[] entry) {
        return CommandCodec.decode(Arrays.copyOfRange(entry, 1, entry.length));
    }
}
