package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.wal.RecordReader.Invalid;
import io.quantadb.node.wal.RecordReader.Outcome;
import io.quantadb.node.wal.RecordReader.Overwritten;
import io.quantadb.node.wal.RecordReader.Valid;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds how far a data directory's WAL reaches, from the files themselves.
 *
 * <p>Steps: (1) begin at the last checkpoint of the control file; (2) take the youngest timeline that descends from what
 * the directory has replayed and of which a record is on disk (a history file alone, or an empty one, proves nothing);
 * (3) read record after record along that lineage until one is not valid; (4) make the files that were read durable;
 * (5) be sure only when the end is one that a server leaves behind: it lies at or after what was once replayed, and the
 * segment after it was never begun (a server flushes a segment before it begins the next).
 *
 * <p>Nobody may write to {@code pg_wal} meanwhile: the server is down, or is a standby whose receiver is stopped.
 * Blocks for as long as it takes to read the WAL since the last checkpoint. No state, any thread.
 */
public final class WalReader {
    private static final Pattern HISTORY_FILE = Pattern.compile("([0-9A-F]{8})\\.history");

    private final Path dataDirectory;
    private final ControlFile control;
    private final WalLayout layout;
    private final Consumer<Valid> onRecord;

    private WalReader(Path dataDirectory, ControlFile control, Consumer<Valid> onRecord) {
        this.dataDirectory = dataDirectory;
        this.control = control;
        this.layout = WalLayout.of(control);
        this.onRecord = onRecord;
    }

    /**
     * The end of valid WAL, all of it durable when this returns.
     *
     * @throws LocalFault when the control file is damaged or not of PostgreSQL 15 to 18, or the disk fails
     */
    public static WalEnd findEnd(Path dataDirectory) {
        return findEnd(dataDirectory, record -> {});
    }

    static WalEnd findEnd(Path dataDirectory, Consumer<Valid> onRecord) {
        ControlFile control = ControlFile.read(dataDirectory);
        return new WalReader(dataDirectory, control, onRecord).find(control.checkpointTimeline(), control.checkpoint());
    }

    /**
     * As {@link #findEnd(Path)}, reading on from a record that an earlier answer gave, so that only what is new is read.
     *
     * @param knownRecord where a valid record of {@code timeline} begins, at or after the last checkpoint's redo
     */
    public static WalEnd findEnd(Path dataDirectory, int timeline, Lsn knownRecord) {
        return new WalReader(dataDirectory, ControlFile.read(dataDirectory), record -> {}).find(timeline, knownRecord);
    }

    private WalEnd find(int timeline, Lsn start) {
        WalEnd found = null;
        for (TimelineHistory history : youngestFirst(timeline, start)) {
            found = readAlong(history, start);
            if (found.timeline() == history.timeline()) {
                return found;
            }
        }
        return found == null ? new WalEnd(timeline, start, start, false, "no timeline holds the start") : found;
    }

    /** The timelines that the directory may be on: {@code timeline} last, before it those that descend from it. */
    private List<TimelineHistory> youngestFirst(int timeline, Lsn start) {
        List<TimelineHistory> found = new ArrayList<>();
        Path pgWal = dataDirectory.resolve("pg_wal");
        try (DirectoryStream<Path> files = Files.newDirectoryStream(pgWal, "*.history");
                WalSegments segments = new WalSegments(dataDirectory, layout)) {
            for (Path file : files) {
                Matcher name = HISTORY_FILE.matcher(file.getFileName().toString());
                long number = name.matches() ? Long.parseLong(name.group(1), 16) : 0;
                if (number > timeline && number <= Integer.MAX_VALUE) {
                    TimelineHistory history = TimelineHistory.read(dataDirectory, (int) number);
                    if (continues(history, timeline, start) && hasFile(history, segments)) {
                        found.add(history);
                    }
                }
            }
        } catch (IOException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(pgWal, IoReason.of(e)), e);
        }
        found.sort(Comparator.comparingInt(TimelineHistory::timeline).reversed());
        found.add(TimelineHistory.read(dataDirectory, timeline));
        return found;
    }

    private boolean continues(TimelineHistory history, int timeline, Lsn start) {
        boolean ofReplay = control.minRecovery().isNone()
                || history.contains(
                        control.minRecoveryTimeline(), control.minRecovery().plus(-1));
        return history.contains(timeline, start) && ofReplay;
    }

    private boolean hasFile(TimelineHistory history, WalSegments segments) {
        Lsn begin = history.parents().getLast().switchPoint();
        return segments.exists(history.timeline(), layout.segmentOf(begin));
    }

    private WalEnd readAlong(TimelineHistory history, Lsn start) {
        Lineage lineage = new Lineage(history, layout);
        try (WalSegments segments = new WalSegments(dataDirectory, layout)) {
            RecordReader reader = new RecordReader(segments, layout, lineage);
            Valid last = null;
            Lsn at = start;
            while (true) {
                Outcome outcome = reader.read(at, last == null ? null : last.start());
                switch (outcome) {
                    case Valid valid -> {
                        onRecord.accept(valid);
                        last = valid;
                        at = valid.next();
                    }
                    case Overwritten(Lsn page) -> at = page;
                    case Invalid(Lsn where, String reason) -> {
                        return conclude(lineage, reader, segments, start, last, where, reason);
                    }
                }
            }
        }
    }

    private WalEnd conclude(
            Lineage lineage,
            RecordReader reader,
            WalSegments segments,
            Lsn start,
            @Nullable Valid last,
            Lsn where,
            String reason) {
        if (last == null) {
            return new WalEnd(
                    lineage.history().timeline(), start, start, false, "the first record is not there: " + reason);
        }
        boolean reachesReplay = last.next().atLeast(control.minRecovery());
        boolean goesOn = reader.hasBegun(layout.segmentOf(where) + 1);
        String words = "%s at %s".formatted(reason, where);
        if (!reachesReplay) {
            words = "WAL that was replayed, up to %s, is missing: ".formatted(control.minRecovery()) + words;
        } else if (goesOn) {
            words = "WAL is damaged before its end: " + words;
        }
        segments.force();
        return new WalEnd(
                lineage.timelineOf(last.start()),
                last.next(),
                last.start(),
                reachesReplay && !goesOn,
                Lsn.max(last.next(), where),
                words);
    }
}
