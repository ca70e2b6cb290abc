package io.quantadb.node.raftlog;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.raft.LogEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The Raft log on disk: files of a fixed size, zeroed when made, filled with batches ({@link Sectors}) of records
 * ({@link LogRecords}), one {@code pwrite} and one {@code fdatasync} per batch. A batch begins at a sector of its own,
 * so that a write never touches what was acknowledged before.
 * <pre>
 * directory: log-0000000000000001, log-0000000000000002, ...
 * file:      | header sector: sequence = file number, payload "segment", int64 sequence of the first batch, int64 size |
 *            | batch | batch | ... | zeros |
 * </pre>
 * <p>Batches are numbered without a gap through all files. At recovery:
 * <ol>
 *   <li>every batch but the last must be complete, and follow the one before; after it only zeros;
 *   <li>the last may be torn: some of its sectors never written (still zero), the others intact. It was never
 *       acknowledged; its sectors are zeroed and the log ends before it;
 *   <li>anything else, a sector that is neither zero nor intact above all, is a {@link LocalFault} that names file
 *       and byte. So is a file of another size, or a missing one.
 * </ol>
 * <p>Owned by one thread at a time. After a failed write nothing more is written until the log is opened anew.
 */
final class SegmentedLog implements AutoCloseable {
    static final int SEGMENT_BYTES = 1 << 20;
    private static final String PREFIX = "log-";
    private static final byte[] HEADER_WORD = {'s', 'e', 'g', 'm', 'e', 'n', 't'};

    /** A file and the highest index that any of its records mentions. */
    private record Segment(long number, Path file, long highestIndex) {}

    private final Path directory;
    private final int segmentBytes;
    private final Deque<Segment> segments = new ArrayDeque<>();
    private final List<LogEntry> entries = new ArrayList<>();
    private @Nullable FileChannel active;
    private long activeBytes;
    private long position;
    private long sequence;
    private boolean broken;

    private SegmentedLog(Path directory, int segmentBytes) {
        this.directory = directory;
        this.segmentBytes = segmentBytes;
    }

    /** Reads everything, cuts a torn tail, and is ready to append. */
    static SegmentedLog open(Path directory, int segmentBytes) {
        SegmentedLog log = new SegmentedLog(directory, segmentBytes);
        try {
            log.recover();
            return log;
        } catch (IOException e) {
            log.closeQuietly();
            throw DiskFiles.fault("cannot read the Raft log in", directory, e);
        } catch (RuntimeException e) {
            log.closeQuietly();
            throw e;
        }
    }

    /** The entries found at opening, in order, and no longer kept here after that. */
    List<LogEntry> takeEntries() {
        List<LogEntry> found = List.copyOf(entries);
        entries.clear();
        return found;
    }

    /** How many batches the log holds or has held. */
    long sequence() {
        return sequence;
    }

    /** Appends one batch and returns when it is durable. */
    void append(long resetIndex, long resetTerm, long truncateFrom, List<LogEntry> batch) {
        if (broken) {
            throw new LocalFault("the Raft log in %s failed before and is not written any more: restart this node"
                    .formatted(directory));
        }
        byte[] payload = LogRecords.encode(resetIndex, resetTerm, truncateFrom, batch);
        int bytes = Sectors.count(payload.length) * Sectors.SIZE;
        try {
            FileChannel channel = room(bytes);
            ByteBuffer out = ByteBuffer.allocate(bytes);
            Sectors.write(out, sequence + 1, payload);
            DiskFiles.writeFully(channel, out.flip(), position);
            channel.force(false);
        } catch (IOException e) {
            broken = true;
            throw DiskFiles.fault("cannot write the Raft log in", directory, e);
        }
        sequence++;
        position += bytes;
        Segment last = segments.removeLast();
        long highest = Math.max(last.highestIndex(), LogRecords.highestIndex(resetIndex, truncateFrom, batch));
        segments.addLast(new Segment(last.number(), last.file(), highest));
    }

    /** Deletes the oldest files as long as they hold nothing after this index. */
    void compactTo(long index) {
        try {
            boolean deleted = false;
            while (segments.size() > 1 && segments.getFirst().highestIndex() <= index) {
                Files.deleteIfExists(segments.removeFirst().file());
                deleted = true;
            }
            if (deleted) {
                DiskFiles.syncDirectory(directory);
            }
        } catch (IOException e) {
            throw DiskFiles.fault("cannot delete old Raft log files in", directory, e);
        }
    }

    @Override
    public void close() {
        closeQuietly();
    }

    // ---- writing

    private FileChannel room(int bytes) throws IOException {
        FileChannel channel = active;
        if (channel != null && position + bytes <= activeBytes) {
            return channel;
        }
        closeQuietly();
        long number = segments.isEmpty() ? 1 : segments.getLast().number() + 1;
        long size = Math.max(segmentBytes, (long) bytes + Sectors.SIZE);
        Path file = directory.resolve(PREFIX + "%016d".formatted(number));
        DiskFiles.createAtomically(file, out -> fillNew(out, number, size));
        segments.addLast(new Segment(number, file, 0));
        return activate(file, size, Sectors.SIZE);
    }

    private void fillNew(FileChannel out, long number, long size) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(Sectors.SIZE);
        Sectors.write(header, number, header(size));
        DiskFiles.writeFully(out, header.flip(), 0);
        ByteBuffer zeros = ByteBuffer.allocate(64 * 1024);
        for (long at = Sectors.SIZE; at < size; at += zeros.capacity()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), size - at));
            DiskFiles.writeFully(out, zeros, at);
        }
    }

    private byte[] header(long size) {
        ByteBuffer b = ByteBuffer.allocate(HEADER_WORD.length + 2 * Long.BYTES);
        return b.put(HEADER_WORD).putLong(sequence + 1).putLong(size).array();
    }

    private FileChannel activate(Path file, long size, long at) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        active = channel;
        activeBytes = size;
        position = at;
        return channel;
    }

    private void closeQuietly() {
        FileChannel channel = active;
        active = null;
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                // Everything written was forced before it was reported; a failing close loses nothing.
                broken = true;
            }
        }
    }

    // ---- recovery

    private void recover() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.filter(f -> f.getFileName().toString().matches(PREFIX + "\\d{16}"))
                    .sorted()
                    .toList();
        }
        for (int i = 0; i < files.size(); i++) {
            recoverSegment(files.get(i), i == 0, i == files.size() - 1);
        }
    }

    private void recoverSegment(Path file, boolean first, boolean last) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file));
        long number = Long.parseLong(file.getFileName().toString().substring(PREFIX.length()));
        if (!first && number != segments.getLast().number() + 1) {
            throw new LocalFault(
                    "a Raft log file before %s is missing: restore it, or empty this node and let it join anew"
                            .formatted(file));
        }
        checkHeader(in, file, number, first);
        long highest = 0;
        int at = Sectors.SIZE;
        while (at < in.capacity()) {
            Sectors.Batch batch = Sectors.read(in, at, (in.capacity() - at) / Sectors.SIZE);
            if (batch == null || batch.sequence() != sequence + 1) {
                break;
            }
            highest = Math.max(highest, replay(batch, file, at));
            sequence = batch.sequence();
            at += batch.sectors() * Sectors.SIZE;
        }
        boolean torn = checkTail(in, at, file, last);
        segments.addLast(new Segment(number, file, highest));
        if (last) {
            FileChannel channel = activate(file, in.capacity(), at);
            if (torn) {
                DiskFiles.writeFully(channel, ByteBuffer.allocate(in.capacity() - at), at);
                channel.force(false);
            }
        }
    }

    private void checkHeader(ByteBuffer in, Path file, long number, boolean first) {
        Sectors.Batch batch = in.capacity() < Sectors.SIZE ? null : Sectors.read(in, 0, 1);
        if (batch == null || batch.sequence() != number || batch.payload().length != HEADER_WORD.length + 16) {
            throw damaged(file, 0);
        }
        ByteBuffer header = ByteBuffer.wrap(batch.payload(), HEADER_WORD.length, 16);
        long firstSequence = header.getLong();
        long size = header.getLong();
        if (size != in.capacity()) {
            throw new LocalFault("%s has %d bytes where %d belong: restore it, or empty this node and let it join anew"
                    .formatted(file, in.capacity(), size));
        }
        if (first) {
            sequence = firstSequence - 1;
        } else if (firstSequence != sequence + 1) {
            throw damaged(file, 0);
        }
    }

    private long replay(Sectors.Batch batch, Path file, int at) {
        List<LogEntry> mentioned = new ArrayList<>();
        try {
            LogRecords.replay(batch.payload(), entries);
            LogRecords.replay(batch.payload(), mentioned);
        } catch (IllegalArgumentException | java.nio.BufferUnderflowException e) {
            throw new LocalFault(
                    "%s holds records at byte %d that do not fit: %s".formatted(file, at, e.getMessage()), e);
        }
        return mentioned.isEmpty() ? 0 : mentioned.getLast().index();
    }

    /** Whether a torn batch follows; {@link LocalFault} when anything but that and zeros does. */
    private boolean checkTail(ByteBuffer in, int from, Path file, boolean last) {
        boolean torn = false;
        int end = from;
        for (int at = from; at < in.capacity(); at += Sectors.SIZE) {
            switch (Sectors.state(in, at)) {
                case ZERO -> {}
                case DAMAGED -> throw damaged(file, at);
                case INTACT -> {
                    Sectors.Header h = Sectors.header(in, at);
                    boolean partOfNext = h.sequence() == sequence + 1 && at == from + h.part() * Sectors.SIZE;
                    if (!partOfNext || !last) {
                        throw damaged(file, from);
                    }
                    torn = true;
                    end = from + h.parts() * Sectors.SIZE;
                }
            }
        }
        if (end > in.capacity()) {
            throw damaged(file, from);
        }
        return torn;
    }

    private static LocalFault damaged(Path file, long at) {
        return new LocalFault(
                "%s is damaged at byte %d: restore it, or empty this node and let it join anew".formatted(file, at));
    }
}
