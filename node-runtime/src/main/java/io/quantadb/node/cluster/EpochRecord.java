package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;

/**
 * One promoted epoch. The records together say which WAL belongs to which branch: a timeline has one writer, and left
 * its parent at the fork.
 *
 * @param parentTimeline where it forked from; 0 for the first; equal to {@code timeline} when the same primary kept its
 *     server and timeline
 * @param expectedFork the end of the chosen node's WAL when it was promoted
 * @param fork what PostgreSQL did, {@link Lsn#NONE} until released
 */
public record EpochRecord(
        long epoch, NodeId node, int timeline, int parentTimeline, Lsn expectedFork, Lsn fork, boolean released) {
    /** Where this timeline left its parent, as far as it is known. */
    public Lsn branchPoint() {
        return fork.isNone() ? expectedFork : fork;
    }

    /** Whether this epoch began a timeline of its own. */
    public boolean ownTimeline() {
        return parentTimeline != timeline;
    }
}
