package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;

/**
 * The directory that a clone is written into: everything in it belongs to one owner, directories have mode 0700 and files
 * 0600, and nothing is ever written outside it. One thread. Failures of the disk are {@link LocalFault}s.
 */
final class CloneTarget {
    private static final int COPY_BYTES = 256 * 1024;
    private static final int FORCE_THREADS = 8;

    private final Path root;
    private final @Nullable FileOwner owner;
    private final byte[] copyBuffer = new byte[COPY_BYTES];

    CloneTarget(Path root, @Nullable FileOwner owner) {
        this.root = behindLink(root.toAbsolutePath().normalize());
        this.owner = owner;
    }

    /** An adopted directory is reached by a link, at which a walk would end. */
    private static Path behindLink(Path root) {
        try {
            return Files.isSymbolicLink(root) ? root.toRealPath() : root;
        } catch (IOException e) {
            throw new LocalFault("%s is a link that leads nowhere".formatted(root), e);
        }
    }

    /** Makes the directory and its marker; refuses one that holds anything. */
    void prepare() {
        try {
            if (Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
                requireEmpty();
            } else {
                Files.createDirectory(root);
            }
            own(root, true);
            CloneMarker.set(root);
            own(root.resolve(CloneMarker.FILE_NAME), false);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be made ready for a clone: %s".formatted(root, IoReason.of(e)), e);
        }
    }

    private void requireEmpty() throws IOException {
        if (!Files.isDirectory(root)) {
            throw new LocalFault("%s is not a directory; a clone needs an empty one".formatted(root));
        }
        try (Stream<Path> entries = Files.list(root)) {
            if (entries.findAny().isPresent()) {
                throw new LocalFault("%s is not empty; a clone needs an empty directory".formatted(root));
            }
        }
    }

    /** Unpacks one archive; the stream is left where the archive ends. */
    long unpack(InputStream archive) {
        long bytes = 0;
        try {
            // Not closed: closing it would close the stream that the next archive comes from.
            @SuppressWarnings("resource")
            TarArchiveInputStream tar = new TarArchiveInputStream(archive, "UTF-8");
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                bytes += unpack(tar, entry);
            }
            return bytes;
        } catch (IOException e) {
            throw new LocalFault("a base backup cannot be written into %s: %s".formatted(root, IoReason.of(e)), e);
        }
    }

    private long unpack(TarArchiveInputStream tar, TarArchiveEntry entry) throws IOException {
        Path path = inside(entry.getName());
        if (path.equals(root) || path.equals(root.resolve(CloneMarker.FILE_NAME))) {
            return 0;
        }
        if (entry.isDirectory()) {
            makeDirectory(path);
            return 0;
        }
        if (!entry.isFile() || entry.isLink() || entry.isSymbolicLink()) {
            throw new LocalFault(
                    "the base backup holds %s, which is neither file nor directory (tablespaces are not supported)"
                            .formatted(entry.getName()));
        }
        makeDirectory(parentOf(path));
        return writeFile(tar, entry, path);
    }

    private long writeFile(TarArchiveInputStream tar, TarArchiveEntry entry, Path path) throws IOException {
        long bytes = 0;
        try (OutputStream out = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int n = tar.read(copyBuffer); n >= 0; n = tar.read(copyBuffer)) {
                out.write(copyBuffer, 0, n);
                bytes += n;
            }
        }
        if (bytes != entry.getSize()) {
            throw new LocalFault("%s came with %d of %d bytes".formatted(entry.getName(), bytes, entry.getSize()));
        }
        own(path, false);
        return bytes;
    }

    private Path inside(String name) {
        Path path = root.resolve(name).normalize();
        boolean climbs = Stream.of(name.split("/", -1)).anyMatch(".."::equals);
        if (!path.startsWith(root) || climbs || name.startsWith("/") || name.indexOf('\0') >= 0) {
            throw new LocalFault("the base backup holds a path outside its directory: " + name);
        }
        return path;
    }

    private static Path parentOf(Path path) {
        Path parent = path.getParent();
        if (parent == null) {
            throw new LocalFault("the base backup holds a file without a directory: " + path);
        }
        return parent;
    }

    private void makeDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            makeDirectory(parentOf(directory));
            Files.createDirectory(directory);
            own(directory, true);
        }
    }

    private void own(Path path, boolean directory) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(directory ? "rwx------" : "rw-------"));
        FileOwner known = owner;
        if (known != null) {
            Files.setAttribute(path, "unix:uid", known.uid(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", known.gid(), LinkOption.NOFOLLOW_LINKS);
        }
    }

    /** Makes all files and directories durable, then takes the marker away. */
    void complete() {
        List<Path> all;
        try (Stream<Path> tree = Files.walk(root)) {
            all = tree.toList();
        } catch (IOException e) {
            throw new LocalFault("%s cannot be made durable: %s".formatted(root, IoReason.of(e)), e);
        }
        // Several at a time, so that the file system can make many durable with one flush of the disk.
        try (ExecutorService several = Executors.newFixedThreadPool(FORCE_THREADS)) {
            List<Future<?>> forced = new ArrayList<>();
            all.forEach(path -> forced.add(several.submit(() -> Durable.force(path))));
            for (Future<?> one : forced) {
                one.get();
            }
        } catch (ExecutionException e) {
            throw new LocalFault("%s cannot be made durable".formatted(root), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LocalFault("interrupted before %s was durable".formatted(root), e);
        }
        Durable.force(parentOf(root));
        CloneMarker.remove(root);
    }
}
