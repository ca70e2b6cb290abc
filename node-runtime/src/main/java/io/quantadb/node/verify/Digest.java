package io.quantadb.node.verify;

/**
 * What a range of rows comes to: equal digests stand for equal rows.
 *
 * @param sum of the rows' 64-bit hashes, wrapping around
 * @param octets of the rows' text, for the throttle
 */
record Digest(long rows, long sum, long octets) {
    static final Digest NONE = new Digest(0, 0, 0);

    Digest plus(Digest other) {
        return new Digest(rows + other.rows, sum + other.sum, octets + other.octets);
    }

    /** Whether they stand for the same rows. */
    boolean agrees(Digest other) {
        return rows == other.rows && sum == other.sum;
    }
}
