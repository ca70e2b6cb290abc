package io.quantadb.node.runtime;

import io.quantadb.node.raftlog.DirectoryLock;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * The folders that a start makes before it is known whether the node has a place in a cluster. A start that comes to
 * nothing takes them away again, as far as they are empty but for the lock on them; what was there before, or holds
 * anything else, stays. To be closed after the locks.
 */
final class Footprint implements AutoCloseable {
    private final List<Path> absent;
    private boolean kept;

    private Footprint(List<Path> absent) {
        this.absent = absent;
    }

    /** To be called before any of these is made. */
    static Footprint before(List<Path> folders) {
        return new Footprint(folders.stream()
                .map(folder -> folder.toAbsolutePath().normalize())
                .filter(folder -> !Files.exists(folder))
                .sorted(Comparator.comparingInt(Path::getNameCount).reversed())
                .toList());
    }

    /** The node has its place. */
    void keep() {
        kept = true;
    }

    @Override
    public void close() throws IOException {
        if (kept) {
            return;
        }
        for (Path folder : absent) {
            try {
                Files.deleteIfExists(folder.resolve(DirectoryLock.FILE));
                Files.deleteIfExists(folder);
            } catch (DirectoryNotEmptyException e) {
                // Something lies in it that is not this start's to remove.
            }
        }
    }
}
