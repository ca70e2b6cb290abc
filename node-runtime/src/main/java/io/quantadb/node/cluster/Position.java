package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;

/**
 * Where a node's WAL ends: the timeline of its last valid record on disk and that record's end, after an fsync.
 * Positions of different timelines are compared only through the epoch history.
 */
public record Position(int timeline, Lsn lsn) {
    @Override
    public String toString() {
        return timeline + ":" + lsn;
    }
}
