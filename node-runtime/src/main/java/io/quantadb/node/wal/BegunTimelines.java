package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Clears away what a WAL receiver had only begun when it ended. It receives a new timeline from the start of the segment in
 * which that forked off, so first comes a copy of what this node has already, in its file of the older timeline. When it
 * ends before the copy has reached the fork, PostgreSQL's recovery opens the younger file, finds no record where the copy
 * ends, and ends itself at every start, since it will not go back to the older one: "according to history file, WAL
 * location ... belongs to timeline ..., but previous recovered WAL file came from timeline ..." (xlogrecovery.c,
 * WaitForWALToBecomeAvailable). Without the younger file it reads the older one and asks for the rest.
 *
 * <p>Nothing is lost: a file goes only where each of its bytes before the fork is zero or the same in the older file, and at
 * least one is zero that is not so there.
 */
public final class BegunTimelines {
    private static final int CHUNK_BYTES = 256 * 1024;

    private final Path dataDirectory;

    /** For a directory whose server does not run. */
    public BegunTimelines(Path dataDirectory) {
        this.dataDirectory = dataDirectory;
    }

    /** The names of the files that were removed; durable when it returns. {@link LocalFault} when the disk fails. */
    public List<String> remove() {
        try {
            ControlFile control = ControlFile.read(dataDirectory);
            WalLayout layout = WalLayout.of(control);
            Path directory = dataDirectory.resolve("pg_wal");
            List<SegmentName> segments = new ArrayList<>(SegmentName.in(directory, layout));
            List<String> removed = new ArrayList<>();
            for (SegmentName segment : List.copyOf(segments)) {
                if (segment.timeline() > control.checkpointTimeline() && isBegun(segment, segments, layout)) {
                    Files.delete(segment.file());
                    segments.remove(segment);
                    removed.add(String.valueOf(segment.file().getFileName()));
                }
            }
            if (!removed.isEmpty()) {
                Durable.force(directory);
            }
            return List.copyOf(removed);
        } catch (IOException e) {
            throw new LocalFault(
                    "%s cannot be looked through: %s".formatted(dataDirectory.resolve("pg_wal"), IoReason.of(e)), e);
        }
    }

    private boolean isBegun(SegmentName segment, List<SegmentName> all, WalLayout layout) throws IOException {
        TimelineHistory history = TimelineHistory.read(dataDirectory, segment.timeline());
        if (history.parents().isEmpty()) {
            return false;
        }
        Lsn fork = history.parents().getLast().switchPoint();
        SegmentName older = older(segment, history, all);
        return layout.segmentOf(fork) == segment.segment()
                && older != null
                && lacks(segment.file(), older.file(), layout.offsetInSegment(fork));
    }

    /** The youngest ancestor's file of the same segment. */
    private static @Nullable SegmentName older(SegmentName segment, TimelineHistory history, List<SegmentName> all) {
        SegmentName found = null;
        for (SegmentName other : all) {
            boolean ancestor = other.timeline() != segment.timeline() && history.descendsFrom(other.timeline());
            boolean younger = found == null || other.timeline() > found.timeline();
            if (other.segment() == segment.segment() && ancestor && younger) {
                found = other;
            }
        }
        return found;
    }

    private static boolean lacks(Path begun, Path older, int bytes) throws IOException {
        boolean any = false;
        try (InputStream young = Files.newInputStream(begun, LinkOption.NOFOLLOW_LINKS);
                InputStream old = Files.newInputStream(older, LinkOption.NOFOLLOW_LINKS)) {
            for (int left = bytes; left > 0; ) {
                byte[] a = young.readNBytes(Math.min(left, CHUNK_BYTES));
                byte[] b = old.readNBytes(Math.min(left, CHUNK_BYTES));
                if (a.length == 0 || a.length != b.length) {
                    return false;
                }
                left -= a.length;
                for (int i = 0; i < a.length; i++) {
                    if (a[i] != b[i] && a[i] != 0) {
                        return false;
                    }
                    any |= a[i] != b[i];
                }
            }
        }
        return any;
    }
}
