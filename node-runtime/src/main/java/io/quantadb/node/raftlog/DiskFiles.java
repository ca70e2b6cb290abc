package io.quantadb.node.raftlog;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/** The few ways in which this package touches files, each complete and durable when it returns. */
final class DiskFiles {
    /** Fills a file that is being made. */
    interface Filler {
        void fill(FileChannel out) throws IOException;
    }

    private DiskFiles() {}

    /** The file appears complete and durable, or not at all: written beside, flushed, renamed, directory flushed. */
    static void createAtomically(Path file, Filler filler) throws IOException {
        Path temp = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            try (FileChannel out = FileChannel.open(
                    temp, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                filler.fill(out);
                out.force(true);
            }
            Files.move(temp, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            // A full disk must not be kept full by what could not be finished.
            Files.deleteIfExists(temp);
            throw e;
        }
        syncDirectory(Objects.requireNonNull(file.toAbsolutePath().getParent(), "a file lies in a directory"));
    }

    static void syncDirectory(Path directory) throws IOException {
        try (FileChannel dir = FileChannel.open(directory, StandardOpenOption.READ)) {
            dir.force(true);
        }
    }

    static void writeFully(FileChannel channel, ByteBuffer bytes, long offset) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    static void readFully(FileChannel channel, ByteBuffer into, long offset) throws IOException {
        long at = offset;
        while (into.hasRemaining()) {
            int n = channel.read(into, at);
            if (n < 0) {
                throw new EOFException("the file ends at byte %d".formatted(at));
            }
            at += n;
        }
    }

    static LocalFault fault(String what, Path file, IOException e) {
        return new LocalFault(
                "%s %s: %s; see that the disk is healthy, has room and belongs to this user, then restart this node"
                        .formatted(what, file, reason(e)),
                e);
    }

    /** The JDK's message is the path alone for these two. */
    private static String reason(IOException e) {
        return switch (e) {
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException _ -> "no such file or directory";
            default -> String.valueOf(e.getMessage());
        };
    }
}
