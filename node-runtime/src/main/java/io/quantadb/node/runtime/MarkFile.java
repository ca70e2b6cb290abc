package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/**
 * A small file of lines that says something of a node's disk: there whole or not at all, whatever happens in between, and
 * durable when {@link #write} or {@link #remove} returns. {@link LocalFault} when the disk fails. One thread at a time.
 */
final class MarkFile {
    private final Path file;

    MarkFile(Path file) {
        this.file = file;
    }

    boolean exists() {
        return Files.exists(file);
    }

    /** Empty when there is none. */
    List<String> read() {
        try {
            return Files.exists(file)
                    ? Files.readAllLines(file).stream()
                            .filter(line -> !line.isBlank())
                            .toList()
                    : List.of();
        } catch (IOException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, e), e);
        }
    }

    void write(List<String> lines) {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.deleteIfExists(fresh);
            try (FileChannel channel = FileChannel.open(
                    fresh,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
                String text = String.join("\n", lines) + "\n";
                var _ = channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
                channel.force(true);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
            forceFolder();
        } catch (IOException e) {
            throw new LocalFault("%s cannot be written: %s".formatted(file, e), e);
        }
    }

    void remove() {
        try {
            if (Files.deleteIfExists(file)) {
                forceFolder();
            }
        } catch (IOException e) {
            throw new LocalFault("%s cannot be removed: %s".formatted(file, e), e);
        }
    }

    private void forceFolder() throws IOException {
        try (FileChannel folder = FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
