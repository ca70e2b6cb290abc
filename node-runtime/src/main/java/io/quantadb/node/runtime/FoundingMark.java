package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/**
 * Says on disk that founding a cluster was permitted and has begun, from before the first byte of it until the disk has
 * its cluster id. An agent that was ended in between goes on without another permission, and meanwhile tells its peers
 * that it is founding. Starting thread only.
 */
final class FoundingMark {
    private final Path file;

    FoundingMark(Path metadata) {
        this.file = metadata.resolve("founding");
    }

    /** The uid that the permission named; empty when none is being founded. */
    Optional<String> read() {
        try {
            if (!Files.exists(file)) {
                return Optional.empty();
            }
            return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, e), e);
        }
    }

    /** Durable when it returns. */
    void write(String uid) {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.deleteIfExists(fresh);
            try (FileChannel channel = FileChannel.open(
                    fresh,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
                var _ = channel.write(ByteBuffer.wrap((uid + "\n").getBytes(StandardCharsets.UTF_8)));
                channel.force(true);
            }
            Files.move(fresh, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
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
}
