package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A WAL segment of zeros, made and flushed ahead, for the moment when a standby follows its primary onto another
 * timeline. The receiver writes that timeline into a file of its own from the start of the segment on, and before it
 * confirms the first byte PostgreSQL would fill 16 MB with zeros and flush them: 40 to 100 ms, and the new epoch is not
 * released before. PostgreSQL takes a file that is there already, as it does with those that a checkpoint made ahead.
 *
 * <p>Steps: (1) {@link #keep} makes {@value #NAME} in {@code pg_wal}, under a name that PostgreSQL does not look at;
 * (2) {@link #use} links it under the name of the segment that comes next, never over one that is there, and flushes the
 * directory, since the receiver flushes only what it writes into a file that it has not made; (3) {@link #takeBack}
 * removes before the server's next start what nothing was received into.
 *
 * <p>The third step is not for tidiness. Zeros are no WAL to {@link WalReader}, which finds the end where it found it
 * before, but recovery opens the file of the youngest timeline in its history for a segment, finds no record there, and
 * ends with "according to history file, WAL location ... belongs to timeline ..., but previous recovered WAL file came from
 * timeline ..." where it then asks for what lies before the fork (xlogrecovery.c, WaitForWALToBecomeAvailable). A server
 * that runs comes there only behind the fork, so whoever has not all up to it is given none. Nothing depends on the file
 * being there. Any thread; what waits for the disk takes turns.
 */
public final class SpareSegment {
    static final String NAME = "quantadb.spare";
    private static final String UNFINISHED = NAME + ".new";
    private static final int CHUNK_BYTES = 64 * 1024;
    /** So many segments must remain free beside it: a spare is never what fills a disk. */
    private static final int FREE_SEGMENTS_MIN = 16;

    private final Path dataDirectory;
    private final @Nullable FileOwner owner;
    private final ReentrantLock turn = new ReentrantLock();

    /** @param owner who shall own the file; null for whoever runs this */
    public SpareSegment(Path dataDirectory, @Nullable FileOwner owner) {
        this.dataDirectory = dataDirectory;
        this.owner = owner;
    }

    /**
     * Makes the spare unless it is there; false when there is no room for it. {@link LocalFault} when the disk fails.
     * Blocks while a segment is written and flushed.
     */
    public boolean keep() {
        turn.lock();
        try {
            Path spare = inWal(NAME);
            if (Files.exists(spare, LinkOption.NOFOLLOW_LINKS)) {
                return true;
            }
            int bytes = ControlFile.read(dataDirectory).walSegmentBytes();
            if (Files.getFileStore(walDirectory()).getUsableSpace() < (long) bytes * FREE_SEGMENTS_MIN) {
                return false;
            }
            Path unfinished = inWal(UNFINISHED);
            Files.deleteIfExists(unfinished);
            fill(unfinished, bytes);
            own(unfinished);
            Files.move(unfinished, spare);
            Durable.force(walDirectory());
            return true;
        } catch (IOException e) {
            throw new LocalFault("%s cannot be made: %s".formatted(inWal(NAME), IoReason.of(e)), e);
        } finally {
            turn.unlock();
        }
    }

    /**
     * Gives the spare away as the segment of that timeline in which {@code position} lies; durable when this returns.
     * False when there is no spare, or the segment is there already. {@link LocalFault} when the disk fails.
     */
    public boolean use(int timeline, Lsn position) {
        turn.lock();
        try {
            Path spare = inWal(NAME);
            WalLayout layout = WalLayout.of(ControlFile.read(dataDirectory));
            Path segment = inWal(layout.fileName(timeline, layout.segmentOf(position)));
            if (!Files.isRegularFile(spare, LinkOption.NOFOLLOW_LINKS)
                    || Files.size(spare) != layout.segmentBytes()
                    || Files.exists(segment, LinkOption.NOFOLLOW_LINKS)) {
                return false;
            }
            // A link never replaces a segment that came meanwhile. The spare's own name goes first: after a crash in
            // between, a file that bears both names would be given away once more.
            Path mine = inWal(UNFINISHED);
            Files.deleteIfExists(mine);
            Files.move(spare, mine);
            try {
                Files.createLink(segment, mine);
            } catch (FileAlreadyExistsException e) {
                return false;
            } finally {
                Files.delete(mine);
            }
            Durable.force(walDirectory());
            return true;
        } catch (IOException e) {
            throw new LocalFault("%s cannot be given away: %s".formatted(inWal(NAME), IoReason.of(e)), e);
        } finally {
            turn.unlock();
        }
    }

    /**
     * Removes the segments of timelines after the last checkpoint's that begin with no page of WAL: what a receiver writes
     * begins with the segment. For a directory whose server does not run. {@link LocalFault} when the disk fails.
     */
    public void takeBack() {
        turn.lock();
        try {
            ControlFile control = ControlFile.read(dataDirectory);
            boolean any = false;
            for (SegmentName segment : SegmentName.in(walDirectory(), WalLayout.of(control))) {
                if (segment.timeline() > control.checkpointTimeline() && beginsWithNoPage(segment.file())) {
                    Files.delete(segment.file());
                    any = true;
                }
            }
            if (any) {
                Durable.force(walDirectory());
            }
        } catch (IOException e) {
            throw new LocalFault("%s cannot be looked through: %s".formatted(walDirectory(), IoReason.of(e)), e);
        } finally {
            turn.unlock();
        }
    }

    /** Every page of WAL begins with a magic number of two bytes. */
    private static boolean beginsWithNoPage(Path segment) throws IOException {
        try (InputStream in = Files.newInputStream(segment, LinkOption.NOFOLLOW_LINKS)) {
            byte[] magic = in.readNBytes(Short.BYTES);
            return magic.length == Short.BYTES && magic[0] == 0 && magic[1] == 0;
        }
    }

    private static void fill(Path file, int bytes) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(CHUNK_BYTES);
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            for (int left = bytes; left > 0; ) {
                zeros.clear().limit(Math.min(left, CHUNK_BYTES));
                left -= channel.write(zeros);
            }
            channel.force(true);
        }
    }

    private void own(Path file) throws IOException {
        FileOwner who = owner;
        if (who != null) {
            Files.setAttribute(file, "unix:uid", who.uid(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(file, "unix:gid", who.gid(), LinkOption.NOFOLLOW_LINKS);
        }
    }

    private Path walDirectory() {
        return dataDirectory.resolve("pg_wal");
    }

    private Path inWal(String name) {
        return walDirectory().resolve(name);
    }
}
