package io.quantadb.node.wal;

import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps copies of WAL that this node wrote or received and that the cluster left behind, before they are lost, so that a
 * person can look what was in it ({@code pg_waldump} reads the segments). In synchronous mode nothing in it was ever
 * acknowledged; after a failover in mode {@code async}, or one that an operator forced, it may be all that is left.
 *
 * <pre>
 * &lt;folder&gt;/20261121T144501Z-timeline1-0_5000148/   0700
 *     000000010000000000000005 ...                 the segments from the fork on, 0600
 *     00000002.history ...                         of the timelines that they are on
 *     about.txt                                    key=value, what {@link Saved} says
 * </pre>
 *
 * <p>Bounded: {@value #COUNT_MAX} of them, {@link #BYTES_MAX} bytes and a tenth of the disk in all, and a tenth of what the
 * disk has free for a new one; the oldest go first, and said. Of WAL that is longer than that the beginning is kept, where the branches part.
 *
 * <p>Saving is for one thread at a time; {@link #list} for any.
 */
public final class DivergedWal {
    /** So many saves are kept. */
    public static final int COUNT_MAX = 8;

    /** What all of them may take together. */
    public static final long BYTES_MAX = 1L << 30;

    static final String ABOUT = "about.txt";
    private static final String UNFINISHED = ".unfinished";
    private static final int FREE_SHARE = 10;
    private static final Logger LOGGER = LoggerFactory.getLogger(DivergedWal.class);
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final Comparator<Saved> OLDEST_FIRST =
            Comparator.comparing(Saved::at).thenComparing(Saved::folder);

    private final Path folder;
    private final long bytesMax;
    private final LongUnaryOperator share;

    /**
     * What to save.
     *
     * @param from where the branches part
     * @param timeline the one that this node's WAL ends on
     * @param to where it ends
     * @param generation the one that is taken for what comes after
     */
    public record Lost(Lsn from, int timeline, Lsn to, long generation) {}

    /**
     * One save.
     *
     * @param segments how many segment files are kept, {@code ofSegments} how many there were
     */
    public record Saved(
            Path folder,
            Instant at,
            int timeline,
            Lsn from,
            Lsn to,
            long generation,
            int segments,
            int ofSegments,
            long bytes) {}

    /** @param folder made when there is something to save */
    public DivergedWal(Path folder) {
        this(folder, BYTES_MAX, freeBytes -> freeBytes / FREE_SHARE);
    }

    /** @param share what a save may take of so many free bytes */
    DivergedWal(Path folder, long bytesMax, LongUnaryOperator share) {
        this.folder = folder;
        this.bytesMax = bytesMax;
        this.share = share;
    }

    public Path folder() {
        return folder;
    }

    /**
     * Copies what is about to be lost; durable when this returns. Null when there is no room even for one segment, or
     * nothing to save. {@link LocalFault} when the disk fails.
     */
    public @Nullable Saved save(Path dataDirectory, Lost lost, Instant now) {
        WalLayout layout = WalLayout.of(ControlFile.read(dataDirectory));
        try {
            List<SegmentName> segments = segments(dataDirectory.resolve("pg_wal"), lost, layout);
            if (segments.isEmpty()) {
                return null;
            }
            directory(folder);
            removeUnfinished();
            long most = most();
            int room = (int) Math.min(segments.size(), allowance(most, layout.segmentBytes()));
            if (room == 0) {
                LOGGER.atWarn()
                        .addMarker(LogKeys.REPLICATION)
                        .addKeyValue("segments", segments.size())
                        .addKeyValue("folder", folder)
                        .log("WAL of this node's own is not kept: the disk has no room for it");
                return null;
            }
            makeRoom(most - (long) room * layout.segmentBytes());
            return copy(dataDirectory.resolve("pg_wal"), segments, room, lost, now, layout);
        } catch (IOException | UncheckedIOException | DirectoryIteratorException e) {
            throw new LocalFault(
                    "WAL of this node's own cannot be kept in %s: %s".formatted(folder, e.getMessage()), e);
        }
    }

    /** Those that the end of this node's WAL lies on, from the fork on; what lies beyond the end was never begun. */
    private static List<SegmentName> segments(Path pgWal, Lost lost, WalLayout layout) throws IOException {
        long first = layout.segmentOf(lost.from());
        long last = layout.segmentOf(lost.to().isNone() ? lost.to() : lost.to().plus(-1));
        return SegmentName.in(pgWal, layout).stream()
                .filter(s -> s.segment() >= first && s.segment() <= last && s.timeline() <= lost.timeline())
                .toList();
    }

    /** What all saves may take: a copy for people to look at must not fill the disk that the server writes to. */
    private long most() throws IOException {
        return Math.min(bytesMax, share.applyAsLong(Files.getFileStore(folder).getTotalSpace()));
    }

    /** So many segments a save may have now. */
    private long allowance(long most, int segmentBytes) throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace();
        return Math.min(most, share.applyAsLong(free)) / segmentBytes;
    }

    private void makeRoom(long bytesBeside) throws IOException {
        List<Saved> there = new ArrayList<>(list());
        there.sort(OLDEST_FIRST);
        long bytes = there.stream().mapToLong(Saved::bytes).sum();
        while (!there.isEmpty() && (there.size() >= COUNT_MAX || bytes > bytesBeside)) {
            Saved oldest = there.removeFirst();
            bytes -= oldest.bytes();
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue("folder", oldest.folder())
                    .addKeyValue("mib", oldest.bytes() >> 20)
                    .log("removing WAL that was kept when this node came back an earlier time, to make room");
            deleteTree(oldest.folder());
        }
    }

    private Saved copy(Path pgWal, List<SegmentName> segments, int room, Lost lost, Instant now, WalLayout layout)
            throws IOException {
        String name = "%s-timeline%d-%s"
                .formatted(
                        STAMP.format(now),
                        lost.timeline(),
                        lost.from().toString().replace('/', '_'));
        Path target = folder.resolve(name);
        for (int i = 2; Files.exists(target); i++) {
            target = folder.resolve(name + "-" + i);
        }
        Path fresh = folder.resolve(target.getFileName() + UNFINISHED);
        directory(fresh);
        for (SegmentName segment : segments.subList(0, room)) {
            copyFile(segment.file(), fresh.resolve(String.valueOf(segment.file().getFileName())));
        }
        copyHistories(pgWal, lost.timeline(), fresh);
        long bytes = (long) room * layout.segmentBytes();
        Saved saved = new Saved(
                target, now, lost.timeline(), lost.from(), lost.to(), lost.generation(), room, segments.size(), bytes);
        write(fresh.resolve(ABOUT), About.text(saved));
        Durable.force(fresh);
        Files.move(fresh, target);
        Durable.force(folder);
        return saved;
    }

    private static void copyHistories(Path pgWal, int timeline, Path to) throws IOException {
        for (int t = 2; t <= timeline; t++) {
            Path history = pgWal.resolve(TimelineHistory.fileName(t));
            // Empty ones only keep a number from being taken.
            if (Files.exists(history) && Files.size(history) > 0) {
                copyFile(history, to.resolve(TimelineHistory.fileName(t)));
            }
        }
    }

    private static void copyFile(Path from, Path to) throws IOException {
        try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ);
                FileChannel out = create(to)) {
            long size = in.size();
            long done = 0;
            while (done < size) {
                long step = in.transferTo(done, size - done, out);
                if (step <= 0) {
                    throw new IOException("%s became shorter while it was copied".formatted(from));
                }
                done += step;
            }
            out.force(true);
        }
    }

    private static void write(Path file, String text) throws IOException {
        try (FileChannel out = create(file)) {
            var bytes = java.nio.ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        }
    }

    /** Rows of tables stand in WAL: nobody else may read it. */
    private static FileChannel create(Path file) throws IOException {
        return FileChannel.open(
                file, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), permissions("rw-------"));
    }

    private static void directory(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            Files.createDirectory(path, permissions("rwx------"));
        }
    }

    private static FileAttribute<?> permissions(String text) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text));
    }

    private void removeUnfinished() throws IOException {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, "*" + UNFINISHED)) {
            for (Path one : left) {
                deleteTree(one);
            }
        }
    }

    private static void deleteTree(Path root) throws IOException {
        try (Stream<Path> tree = Files.walk(root)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /** What is kept, the newest first; what cannot be read is left out. */
    public List<Saved> list() {
        List<Saved> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                boolean whole = !entry.toString().endsWith(UNFINISHED);
                Saved one = whole ? About.read(entry) : null;
                if (one != null) {
                    found.add(one);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // Nothing was ever saved, or the folder cannot be read: then there is nothing to tell of it.
            return List.of();
        }
        found.sort(OLDEST_FIRST.reversed());
        return List.copyOf(found);
    }
}
