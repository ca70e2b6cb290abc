package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Takes back the beginning of a record whose rest, in a later segment, never came. PostgreSQL's recovery wants that rest and
 * has its receiver begin with the later segment (xlogrecovery.c, WaitForWALToBecomeAvailable), so the stream would not deliver
 * the bytes that lie between the end of whole records, up to which this node was compared with its upstream, and the segment's
 * end. Nobody would vouch for them, and what the node acknowledged beyond would count for nothing. Without the beginning,
 * recovery wants that segment, and the stream delivers all of it. So it is after a rewind beside writes, which copies segments
 * whole, and after a crash in that moment.
 *
 * <p>Nothing is lost: no transaction is in a record that is not whole, and the stream brings it again.
 */
public final class UnfinishedRecord {
    private static final ByteBuffer ZEROES = ByteBuffer.allocateDirect(1 << 20);

    private final Path dataDirectory;

    /** For a directory whose server does not run and whose WAL is to be streamed. */
    public UnfinishedRecord(Path dataDirectory) {
        this.dataDirectory = dataDirectory;
    }

    /**
     * Whether there was one. Durable when it returns; {@link LocalFault} when the disk fails.
     *
     * @param end as it was read from these files; nothing is done about one that is not sure
     */
    public boolean remove(WalEnd end) {
        WalLayout layout = WalLayout.of(ControlFile.read(dataDirectory));
        long first = layout.segmentOf(end.end());
        long last = layout.segmentOf(end.partialEnd());
        Path directory = dataDirectory.resolve("pg_wal");
        Path begun = directory.resolve(layout.fileName(end.timeline(), first));
        if (!end.sure() || first == last || !Files.isRegularFile(begun, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try {
            // The last ones first: where this is cut short, what is left is the beginning of a record still.
            for (long segment = last; segment > first; segment--) {
                Files.deleteIfExists(directory.resolve(layout.fileName(end.timeline(), segment)));
            }
            Durable.force(directory);
            clear(begun, layout.offsetInSegment(end.end()), layout.segmentBytes());
        } catch (IOException e) {
            throw new LocalFault("%s cannot be cleared behind %s: %s".formatted(begun, end.end(), IoReason.of(e)), e);
        }
        return true;
    }

    private static void clear(Path file, int from, int to) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (long at = from; at < to; ) {
                ByteBuffer zeroes = ZEROES.duplicate();
                at += channel.write(zeroes.limit((int) Math.min(zeroes.capacity(), to - at)), at);
            }
            channel.force(true);
        }
    }
}
