package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.pgwire.PgConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes the WAL of a rewound directory whole: from where its replay begins to where it is consistent, so that it can tell
 * its end as any other directory can, before a server is started on it.
 *
 * <p>pg_rewind leaves two gaps. It removes segments that the source has not got any more, also those before the fork that
 * replay begins with (up to PostgreSQL 16): they are {@linkplain #setAside set aside} first and put back. And it copies
 * WAL that is being written, then takes the source's newest position as that of consistency: what lies between comes
 * from the source here, over its SQL session.
 *
 * <p>Blocks; one thread. Everything written is durable when {@link #complete} returns.
 */
public final class RewoundWal {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final int CHUNK_BYTES = 4 << 20;
    private static final int FLUSH_TRIES = 100;
    private static final Pattern REDO =
            Pattern.compile("START WAL LOCATION: (\\S+) \\(file ([0-9A-F]{8})[0-9A-F]{16}\\)");

    private final Path dataDirectory;
    private final Path aside;
    private final @Nullable FileOwner owner;

    /**
     * @param aside a directory for this alone, on the file system of {@code pg_wal}, outside the data directory
     * @param owner who shall own the files; null keeps the agent's own user
     */
    public RewoundWal(Path dataDirectory, Path aside, @Nullable FileOwner owner) {
        this.dataDirectory = dataDirectory;
        this.aside = aside;
        this.owner = owner;
    }

    /** Before pg_rewind: keeps hold of every segment that lies before the one of the fork. */
    public void setAside(Lsn fork) {
        WalLayout layout = layout();
        try {
            discard();
            Files.createDirectory(
                    aside, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            for (SegmentName segment : SegmentName.in(walDirectory(), layout)) {
                if (segment.segment() < layout.segmentOf(fork)) {
                    // Another name of the same file: no copy. pg_rewind may write over it, with the same bytes.
                    Files.createLink(aside.resolve(segment.file().getFileName()), segment.file());
                }
            }
            Durable.force(aside);
        } catch (IOException e) {
            throw failed("cannot set WAL aside in %s", aside, e);
        }
    }

    /** Afterwards, however it went. */
    public void discard() {
        if (!Files.exists(aside, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(aside)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw failed("cannot remove %s", aside, e);
        }
    }

    /**
     * After pg_rewind: {@link LocalFault} when the WAL cannot be made whole.
     *
     * @param source a session that may read the source's files
     */
    public WalEnd complete(PgConnection source, Lsn fork) {
        Start start = start();
        ControlFile control = ControlFile.read(dataDirectory);
        putBack(start.redo(), fork);
        WalEnd end = WalReader.findEnd(dataDirectory, start.timeline(), start.redo());
        if (end.end().equals(start.redo())) {
            throw new LocalFault(
                    "the WAL that replay begins with, at %s, is gone: %s".formatted(start.redo(), end.reason()));
        }
        if (!end.end().atLeast(control.minRecovery())) {
            flushed(source, control.minRecovery());
            fetch(source, control.minRecoveryTimeline(), end.end(), control.minRecovery());
            end = WalReader.findEnd(dataDirectory, start.timeline(), start.redo());
        }
        if (!end.sure()) {
            throw new LocalFault("the WAL that replay needs, from %s to %s, is not all there: %s"
                    .formatted(start.redo(), control.minRecovery(), end.reason()));
        }
        return end;
    }

    private record Start(int timeline, Lsn redo) {}

    /** From where the server will replay, as pg_rewind has written it down. */
    private Start start() {
        Path label = dataDirectory.resolve("backup_label");
        try {
            Matcher m = REDO.matcher(Files.readString(label));
            if (!m.find()) {
                throw new LocalFault("%s does not say where replay begins".formatted(label));
            }
            return new Start(Integer.parseUnsignedInt(m.group(2), 16), Lsn.parse(m.group(1)));
        } catch (IOException e) {
            throw failed("%s cannot be read", label, e);
        }
    }

    private void putBack(Lsn redo, Lsn fork) {
        WalLayout layout = layout();
        try {
            for (SegmentName segment : SegmentName.in(aside, layout)) {
                Path place = walDirectory().resolve(segment.file().getFileName());
                boolean needed = segment.segment() >= layout.segmentOf(redo)
                        && segment.segment() < layout.segmentOf(fork)
                        && !Files.exists(place);
                if (needed) {
                    Files.move(segment.file(), place, StandardCopyOption.ATOMIC_MOVE);
                }
            }
            Durable.force(walDirectory());
        } catch (IOException e) {
            throw failed("cannot put WAL back into %s", walDirectory(), e);
        }
    }

    /** Waits until the source has that on its disk: on an idle server the last record may stay in memory for long. */
    private static void flushed(PgConnection source, Lsn position) {
        for (int i = 0; i < FLUSH_TRIES; i++) {
            Lsn flush = Lsn.parse(
                    source.query("SELECT pg_current_wal_flush_lsn()", DEADLINE).single());
            if (flush.atLeast(position)) {
                return;
            }
            // A commit that waits for nobody flushes all that was inserted before it.
            var _ = source.queryAll(
                    "SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'quantadb', 'flush')",
                    DEADLINE);
        }
        throw new LocalFault("the source does not flush its WAL up to %s".formatted(position));
    }

    /** Whole segments, the one that {@code from} lies in first. */
    private void fetch(PgConnection source, int timeline, Lsn from, Lsn to) {
        WalLayout layout = layout();
        long last = layout.segmentOf(to.plus(-1));
        for (long segment = layout.segmentOf(from); segment <= last; segment++) {
            String name = layout.fileName(timeline, segment);
            Path fresh = aside.resolve(name + ".fresh");
            try {
                try (FileChannel out =
                        FileChannel.open(fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE))) {
                    for (long at = 0; at < layout.segmentBytes(); at += CHUNK_BYTES) {
                        write(out, read(source, name, at, Math.min(CHUNK_BYTES, layout.segmentBytes() - at)));
                    }
                    out.force(true);
                }
                own(fresh);
                Files.move(
                        fresh,
                        walDirectory().resolve(name),
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                throw failed("cannot write WAL into %s", walDirectory(), e);
            }
        }
        Durable.force(walDirectory());
    }

    private static ByteBuffer read(PgConnection source, String name, long at, long bytes) {
        String hex = source.query(
                        "SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file('pg_wal/%s', %d, %d, true), 'hex')"
                                .formatted(name, at, bytes),
                        DEADLINE)
                .singleOrNull();
        if (hex == null || hex.length() != 2 * bytes) {
            throw new LocalFault("the source has not got WAL segment %s any more".formatted(name));
        }
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    }

    private static void write(FileChannel out, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }

    private void own(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        FileOwner known = owner;
        if (known != null) {
            Files.setAttribute(path, "unix:uid", known.uid(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", known.gid(), LinkOption.NOFOLLOW_LINKS);
        }
    }

    private Path walDirectory() {
        return dataDirectory.resolve("pg_wal");
    }

    private WalLayout layout() {
        return WalLayout.of(ControlFile.read(dataDirectory));
    }

    @SuppressWarnings("AnnotateFormatMethod") // every caller passes a literal; the annotations are not at hand
    private static LocalFault failed(String words, Path what, IOException e) {
        return new LocalFault(words.formatted(what) + ": " + IoReason.of(e), e);
    }
}
