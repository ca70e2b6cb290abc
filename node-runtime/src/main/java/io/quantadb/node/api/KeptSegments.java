package io.quantadb.node.api;

import io.quantadb.node.common.Lsn;
import java.nio.file.Path;
import java.time.Instant;

/**
 * WAL of this node that the cluster left behind, as it was kept when the node came back.
 *
 * @param at when
 * @param timeline the one that it ends on
 * @param from where it left the primary's
 * @param segments how many segment files are kept, of {@code ofSegments} that there were
 */
public record KeptSegments(
        Path folder, Instant at, int timeline, Lsn from, Lsn to, int segments, int ofSegments, long bytes) {}
