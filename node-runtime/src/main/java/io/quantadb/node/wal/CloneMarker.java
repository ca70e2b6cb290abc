package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that stands in a data directory from before the first byte of a clone until all of it is durable. */
public final class CloneMarker {
    public static final String FILE_NAME = "quantadb.cloning";

    private CloneMarker() {}

    /** True when the directory holds a clone that never finished: nothing in it may be used. */
    public static boolean isIncomplete(Path dataDirectory) {
        return Files.exists(dataDirectory.resolve(FILE_NAME));
    }

    static void set(Path dataDirectory) {
        try (FileChannel file = FileChannel.open(
                dataDirectory.resolve(FILE_NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.force(true);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be written: %s".formatted(dataDirectory, IoReason.of(e)), e);
        }
        Durable.force(dataDirectory);
    }

    static void remove(Path dataDirectory) {
        try {
            Files.delete(dataDirectory.resolve(FILE_NAME));
        } catch (IOException e) {
            throw new LocalFault("%s cannot be written: %s".formatted(dataDirectory, IoReason.of(e)), e);
        }
        Durable.force(dataDirectory);
    }
}
