package io.quantadb.node.common;

/**
 * What the replication slot that one server keeps for another member is called. PostgreSQL allows lower-case letters,
 * digits and '_', {@value #LENGTH_MAX} at most; every other character of a node id, '_' included, becomes {@code _} and
 * its two hexadecimal digits, so that no two ids share a name. What is still too long is cut and ends in {@code _h} and
 * a hash of the whole id.
 */
public final class SlotNames {
    /** Slots whose names begin so are the cluster's: the agents make, move and drop them. */
    public static final String PREFIX = "quantadb_node_";

    private static final int LENGTH_MAX = 63;
    private static final int HASH_LENGTH = 18;

    private SlotNames() {}

    public static String of(NodeId member) {
        StringBuilder name = new StringBuilder(PREFIX);
        for (char c : member.value().toCharArray()) {
            if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
                name.append(c);
            } else {
                name.append("_%02x".formatted((int) c));
            }
        }
        if (name.length() > LENGTH_MAX) {
            name.setLength(LENGTH_MAX - HASH_LENGTH);
            name.append("_h%016x".formatted(hash(member.value())));
        }
        return name.toString();
    }

    /** FNV-1a: the same on every node and in every release. */
    private static long hash(String text) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        }
        return hash;
    }
}
