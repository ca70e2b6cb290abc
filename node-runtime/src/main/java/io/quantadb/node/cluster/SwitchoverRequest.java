package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * What somebody asks for: that the primary of this epoch gives way to another node. Bound to the epoch, so that it moves
 * the primary once at most, however often it is said.
 *
 * @param id random, by which whoever asked knows the answers
 * @param epoch whose primary shall give way
 * @param target who shall be primary; null for the best
 * @param timeoutMillis from asking: nothing is fenced later than this
 * @param drainMillis how long transactions under way may go on while new ones are held back
 * @param leaving the primary's node ends afterwards, so that it does not count for the next rule
 */
public record SwitchoverRequest(
        long id, long epoch, @Nullable NodeId target, int timeoutMillis, int drainMillis, boolean leaving) {
    public static final int TIMEOUT_MILLIS = 30_000;
    public static final int TIMEOUT_MILLIS_MAX = 3_600_000;
    public static final int DRAIN_MILLIS = 250;
    public static final int DRAIN_MILLIS_MAX = 60_000;

    public SwitchoverRequest {
        if (timeoutMillis < 1 || timeoutMillis > TIMEOUT_MILLIS_MAX) {
            throw new IllegalArgumentException(
                    "timeout=%d ms must be from 1 to %d".formatted(timeoutMillis, TIMEOUT_MILLIS_MAX));
        }
        if (drainMillis < 0 || drainMillis > DRAIN_MILLIS_MAX) {
            throw new IllegalArgumentException(
                    "drain=%d ms must be from 0 to %d".formatted(drainMillis, DRAIN_MILLIS_MAX));
        }
    }
}
