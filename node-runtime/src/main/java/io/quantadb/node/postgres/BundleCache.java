package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * PostgreSQL installations that the agent unpacked or copied, one directory each, complete or absent: made beside and
 * renamed into place, so that several agents may do it at once. All of it can be read by every user.
 */
final class BundleCache {
    private static final long UNPACKED_BYTES_MAX = 1L << 30;

    private final Path cacheDir;

    BundleCache(Path cacheDir) {
        this.cacheDir = cacheDir;
    }

    /** Unpacks a jar that holds one .txz, or a .txz, unless that was done before; returns its bin directory. */
    Path unpack(Path bundle, ServerUser user) {
        try {
            if (!bundle.toString().endsWith(".jar")) {
                Path home = home(bundle, Files.size(bundle));
                return install(home, user, into -> {
                    try (InputStream in = Files.newInputStream(bundle)) {
                        untar(in, into);
                    }
                });
            }
            try (ZipFile jar = new ZipFile(bundle.toFile())) {
                ZipEntry txz = jar.stream()
                        .filter(e -> e.getName().endsWith(".txz"))
                        .findFirst()
                        .orElseThrow(
                                () -> new LocalFault("%s is not a PostgreSQL bundle: no .txz in it".formatted(bundle)));
                return install(home(bundle, txz.getCrc()), user, into -> {
                    try (InputStream in = jar.getInputStream(txz)) {
                        untar(in, into);
                    }
                });
            }
        } catch (IOException e) {
            throw new LocalFault(
                    "cannot unpack PostgreSQL from %s into %s: %s".formatted(bundle, cacheDir, IoReason.of(e)), e);
        }
    }

    /** Copies a whole installation ({@code bin}, {@code lib}, {@code share}) to where the user can reach it. */
    Path copyInstallation(Path binDir, Path obstacle, ServerUser user) {
        try {
            Path prefix = binDir.toRealPath().resolve("..").normalize();
            if (!Files.isDirectory(prefix.resolve("lib")) || !Files.isDirectory(prefix.resolve("share"))) {
                throw new LocalFault(
                        ("user %s cannot reach PostgreSQL in %s because it may not enter %s, and %s cannot be copied as it"
                                        + " lacks lib and share: give others the right to enter (chmod o+x %s)")
                                .formatted(user.name(), binDir, obstacle, prefix, obstacle));
            }
            var crc = new CRC32();
            crc.update(prefix.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
            long changed = Files.getLastModifiedTime(binDir.resolve("postgres")).toMillis();
            Path home = cacheDir.resolve("copy-%08x-%x".formatted(crc.getValue(), changed));
            return install(home, user, into -> copyTree(prefix, into));
        } catch (IOException e) {
            throw new LocalFault(
                    "user %s cannot reach PostgreSQL in %s, and copying it to %s failed: %s"
                            .formatted(user.name(), binDir, cacheDir, IoReason.of(e)),
                    e);
        }
    }

    private interface Filler {
        void fill(Path into) throws IOException;
    }

    private Path home(Path bundle, long mark) {
        String base = bundle.getFileName().toString().replaceFirst("\\.(jar|txz|tar\\.xz)$", "");
        return cacheDir.resolve("%s-%08x".formatted(base, mark));
    }

    private Path install(Path home, ServerUser user, Filler filler) throws IOException {
        Path binDir = home.resolve("bin");
        if (!Files.isExecutable(binDir.resolve("postgres"))) {
            Files.createDirectories(cacheDir);
            if (user.switched()) {
                Files.setPosixFilePermissions(cacheDir, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
            Path fresh = Files.createTempDirectory(cacheDir, ".new-");
            try {
                filler.fill(fresh);
                Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
                moveInto(fresh, home);
            } finally {
                DirectoryTree.delete(fresh);
            }
        }
        OsTools.obstacle(binDir, user).ifPresent(obstacle -> {
            throw new LocalFault(
                    "PostgreSQL was unpacked to %s, where user %s cannot enter %s: choose another cache directory"
                            .formatted(binDir, user.name(), obstacle));
        });
        return binDir;
    }

    private static void moveInto(Path fresh, Path home) throws IOException {
        try {
            Files.move(fresh, home, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw e;
        } catch (IOException e) {
            if (!Files.isExecutable(home.resolve("bin/postgres"))) {
                throw e;
            }
            // Another agent was quicker; its copy is the same.
        }
    }

    private static void untar(InputStream txz, Path into) throws IOException {
        long bytes = 0;
        try (var tar = new TarArchiveInputStream(new XZCompressorInputStream(new BufferedInputStream(txz, 1 << 16)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path to = into.resolve(entry.getName()).normalize();
                if (!to.startsWith(into)) {
                    throw new IOException("the bundle names a file outside of it: " + entry.getName());
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(to);
                    Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwxr-xr-x"));
                    continue;
                }
                Files.createDirectories(to.getParent());
                if (entry.isSymbolicLink()) {
                    if (!to.resolveSibling(entry.getLinkName()).normalize().startsWith(into)) {
                        throw new IOException("the bundle links to a file outside of it: " + entry.getName());
                    }
                    Files.createSymbolicLink(to, Path.of(entry.getLinkName()));
                    continue;
                }
                bytes += entry.getSize();
                if (bytes > UNPACKED_BYTES_MAX) {
                    throw new IOException("the bundle holds more than %d bytes".formatted(UNPACKED_BYTES_MAX));
                }
                if (!to.toString().endsWith(".a")) {
                    Files.copy(tar, to, StandardCopyOption.REPLACE_EXISTING);
                    Files.setPosixFilePermissions(
                            to,
                            PosixFilePermissions.fromString((entry.getMode() & 0100) != 0 ? "rwxr-xr-x" : "rw-r--r--"));
                }
            }
        }
    }

    private static void copyTree(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attrs) throws IOException {
                Path made =
                        Files.createDirectories(to.resolve(from.relativize(dir).toString()));
                Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxr-xr-x"));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attrs) throws IOException {
                Path copy = to.resolve(from.relativize(file).toString());
                Files.copy(file.toRealPath(), copy);
                Files.setPosixFilePermissions(
                        copy, PosixFilePermissions.fromString(Files.isExecutable(file) ? "rwxr-xr-x" : "rw-r--r--"));
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
