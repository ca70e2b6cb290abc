package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Makes files and directory entries survive a power cut. A failed fsync is a {@link LocalFault}: the disk is unfit. */
final class Durable {
    private Durable() {}

    /** A file's contents, or a directory's entries. Opened for reading: that is enough for fsync on Linux. */
    static void force(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be made durable: %s".formatted(path, IoReason.of(e)), e);
        }
    }
}
