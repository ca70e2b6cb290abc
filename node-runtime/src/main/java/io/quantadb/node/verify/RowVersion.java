package io.quantadb.node.verify;

/**
 * One version of a row where it lies. Standbys replay the primary's pages byte for byte, so two nodes that are right show
 * the same version at the same place.
 *
 * @param block of the table's main fork
 * @param item the line pointer within the block, from 1
 * @param xmin the low 32 bits of the transaction that wrote it
 * @param hash of place, transaction and contents
 */
record RowVersion(long block, int item, long xmin, long hash) {
    /** Reads PostgreSQL's text form {@code (block,item)}. */
    static RowVersion of(String ctid, String xmin, String hash) {
        int comma = ctid.indexOf(',');
        if (comma < 2 || !ctid.startsWith("(") || !ctid.endsWith(")")) {
            throw new IllegalArgumentException("'%s' is not a row's place".formatted(ctid));
        }
        return new RowVersion(
                Long.parseLong(ctid.substring(1, comma)),
                Integer.parseInt(ctid.substring(comma + 1, ctid.length() - 1)),
                Long.parseLong(xmin),
                Long.parseLong(hash));
    }

    RowPlace place() {
        return new RowPlace(block, item);
    }
}
