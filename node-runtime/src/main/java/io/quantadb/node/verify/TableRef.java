package io.quantadb.node.verify;

/**
 * One table (or materialised view) of a database.
 *
 * @param bytes of its main fork on the primary when it was listed
 * @param blockBytes the size of its blocks
 * @param whyNot why it cannot be compared; empty when it can
 */
public record TableRef(String schema, String name, long bytes, int blockBytes, String whyNot) {
    public TableRef {
        if (blockBytes < 1) {
            throw new IllegalArgumentException("blocks of %d bytes".formatted(blockBytes));
        }
    }

    long blocks() {
        return (bytes + blockBytes - 1) / blockBytes;
    }

    /** As a statement names it. */
    String quoted() {
        return quoted(schema) + "." + quoted(name);
    }

    private static String quoted(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    /** Whether the user's word means this table: its name, or its schema's and its own with a point between. */
    public boolean isCalled(String word) {
        return word.equals(name) || word.equals(schema + "." + name);
    }

    @Override
    public String toString() {
        return schema + "." + name;
    }
}
