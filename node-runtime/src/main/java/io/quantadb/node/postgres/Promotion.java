package io.quantadb.node.postgres;

import io.quantadb.node.common.Lsn;
import java.time.Duration;

/**
 * A promotion that happened.
 *
 * @param timeline the one that was asked for
 * @param parentTimeline and {@code forkLsn}: where the new timeline left the old, from its history file
 * @param firstRecordEnd a flushed position at or just past the end of the timeline's first record
 * @param took from the signal until the server was seen out of recovery
 */
public record Promotion(int timeline, int parentTimeline, Lsn forkLsn, Lsn firstRecordEnd, Duration took) {}
