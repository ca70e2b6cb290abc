package io.quantadb.node.postgres;

import io.quantadb.node.wal.ControlFile;

/** What a data directory holds, as {@link DataDirectory#inspect} found it without changing anything. */
public sealed interface DirectoryContents {
    /** Absent or empty: it may be bootstrapped or cloned into. */
    record Empty() implements DirectoryContents {}

    /** A cluster of the wanted major version. {@code standby} when it was last started in recovery. */
    record Cluster(ControlFile control, int major, boolean standby) implements DirectoryContents {}

    /** A bootstrap, clone, rewind or wipe of ours that did not finish: nothing in it may be used, it may be wiped. */
    record Incomplete() implements DirectoryContents {}

    /** Not to be touched; {@code why} says what, where and what to do. */
    record Refused(String why) implements DirectoryContents {}
}
