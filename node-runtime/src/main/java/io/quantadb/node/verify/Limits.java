package io.quantadb.node.verify;

import java.time.Duration;

/**
 * How a comparison goes about its work.
 *
 * @param bytesPerSecond how much of each node is read in a second; 0 for as much as goes
 * @param chunkBytes how much of a table one statement reads
 * @param narrowBlocks ranges that stay unlike are read row by row in pieces of so many blocks
 * @param tries how often a range is read again by digest, or after a passing trouble
 * @param behind how long a standby may take to replay what the primary has
 * @param doubt how long a range may stay in doubt
 * @param findingsMax findings of one node in one table, after which its remaining ranges are not looked at
 */
public record Limits(
        long bytesPerSecond,
        int chunkBytes,
        int narrowBlocks,
        int tries,
        Duration behind,
        Duration doubt,
        int findingsMax) {
    /** 20 MB a second of each node: a disk that serves others hardly notices. */
    public static final Limits USUAL =
            new Limits(20L << 20, 1 << 20, 16, 3, Duration.ofSeconds(30), Duration.ofSeconds(30), 64);

    public Limits {
        if (bytesPerSecond < 0 || chunkBytes < 1 || narrowBlocks < 1 || tries < 1 || findingsMax < 1) {
            throw new IllegalArgumentException(
                    "a limit of a comparison is out of its bounds: rate %d, chunk %d, blocks %d, tries %d, findings %d"
                            .formatted(bytesPerSecond, chunkBytes, narrowBlocks, tries, findingsMax));
        }
    }

    public Limits at(long rate) {
        return new Limits(rate, chunkBytes, narrowBlocks, tries, behind, doubt, findingsMax);
    }

    /** The same with this much patience for a standby that is behind and for rows in doubt. */
    public Limits waiting(Duration patience) {
        return new Limits(bytesPerSecond, chunkBytes, narrowBlocks, tries, patience, patience, findingsMax);
    }
}
