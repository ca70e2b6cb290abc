package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Pages out of the segment files of {@code pg_wal}, one file open at a time, and a list of the files that were read.
 * One thread. An error of the disk is a {@link LocalFault}; a file that is missing or short has no such page.
 */
final class WalSegments implements AutoCloseable {
    /**
     * More than the largest page, and little beside the young generation: a standby reads its newest WAL every moment,
     * and a buffer of 1 MiB was kept by every other collection, so that the heap filled with dead ones.
     */
    private static final int CHUNK_BYTES = 128 * 1024;

    private final Path directory;
    private final WalLayout layout;
    private final Set<Path> read = new LinkedHashSet<>();
    private final ByteBuffer chunk;
    private @Nullable FileChannel channel;
    private int openTimeline;
    private long openSegment;
    private long chunkStart;

    WalSegments(Path dataDirectory, WalLayout layout) {
        this.directory = dataDirectory.resolve("pg_wal");
        this.layout = layout;
        this.chunk = ByteBuffer.allocate(Math.min(CHUNK_BYTES, layout.segmentBytes()))
                .order(ByteOrder.LITTLE_ENDIAN)
                .limit(0);
    }

    boolean exists(int timeline, long segment) {
        return Files.isRegularFile(file(timeline, segment));
    }

    private Path file(int timeline, long segment) {
        return directory.resolve(layout.fileName(timeline, segment));
    }

    /** The bytes of the page at {@code address} in that timeline's file, valid until the next call; null when not there. */
    @Nullable
    ByteBuffer page(int timeline, Lsn address) {
        long segment = layout.segmentOf(address);
        long offset = layout.offsetInSegment(address);
        try {
            FileChannel source = channel;
            if (source == null || timeline != openTimeline || segment != openSegment) {
                close();
                Path file = file(timeline, segment);
                if (!Files.isRegularFile(file)) {
                    return null;
                }
                source = FileChannel.open(file, StandardOpenOption.READ);
                channel = source;
                openTimeline = timeline;
                openSegment = segment;
                read.add(file);
            }
            if (offset < chunkStart || offset + layout.blockBytes() > chunkStart + chunk.limit()) {
                fill(source, offset);
            }
            int from = (int) (offset - chunkStart);
            return chunk.limit() - from < layout.blockBytes()
                    ? null
                    : chunk.slice(from, layout.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file(timeline, segment), IoReason.of(e)), e);
        }
    }

    private void fill(FileChannel source, long offset) throws IOException {
        chunk.clear();
        chunkStart = offset;
        while (chunk.hasRemaining()) {
            if (source.read(chunk, offset + chunk.position()) < 0) {
                break;
            }
        }
        chunk.flip();
    }

    /** Makes all that was read, and the names of the files, durable. */
    void force() {
        read.forEach(Durable::force);
        Durable.force(directory);
    }

    @Override
    public void close() {
        FileChannel known = channel;
        channel = null;
        chunk.limit(0);
        chunkStart = 0;
        if (known != null) {
            try {
                known.close();
            } catch (IOException e) {
                throw new LocalFault("a WAL segment cannot be closed", e);
            }
        }
    }
}
