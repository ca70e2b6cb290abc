package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;

/**
 * How a leader sees one member.
 *
 * @param match the member has everything up to here on disk
 * @param next what it is sent next
 * @param lastHeardNanos when it last answered, on the leader's clock; the election before that
 * @param rttNanos the time from the last answered request to its answer, -1 when none was answered
 * @param failures heartbeats sent since the last answer
 * @param regressed it has lost entries that it had acknowledged and is not counted any more
 */
public record FollowerProgress(
        PeerId peer,
        boolean voter,
        long match,
        long next,
        long lastHeardNanos,
        long rttNanos,
        int failures,
        boolean regressed) {}
