package io.quantadb.node.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Assumptions;
import org.tukaani.xz.XZInputStream;

/**
 * Where a version's programs are, and a fresh cluster of it to copy. Both are made once per machine and kept in the
 * temporary directory, under a lock so that builds side by side do not disturb each other.
 */
public record PostgresBinaries(PostgresVersion version, Path bin) {
    private static final String ARCHIVE = "/postgres-linux-x86_64.txz";
    private static final Map<PostgresVersion, PostgresBinaries> FOUND = new ConcurrentHashMap<>();

    /** Skips the test where the version is not there. */
    public static PostgresBinaries require(PostgresVersion version) {
        PostgresBinaries found = FOUND.computeIfAbsent(version, PostgresBinaries::find);
        Assumptions.assumeTrue(
                Files.isExecutable(found.bin.resolve("postgres")), "PostgreSQL " + version.major() + " is not here");
        return found;
    }

    private static PostgresBinaries find(PostgresVersion version) {
        return new PostgresBinaries(
                version,
                switch (version) {
                    case V15 -> installed(version.major());
                    case V18 -> unpacked();
                });
    }

    private static Path installed(int major) {
        Stream<Path> inPath = Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .filter(entry -> !entry.isEmpty())
                .map(Path::of);
        return Stream.concat(Stream.of(Path.of("/usr/lib/postgresql/" + major + "/bin")), inPath)
                .filter(dir -> Files.isExecutable(dir.resolve("postgres")))
                .filter(dir -> OsUser.TESTS
                        .run(List.of(dir.resolve("postgres").toString(), "--version"))
                        .contains(" " + major + "."))
                .findFirst()
                .orElse(Path.of("/nonexistent"));
    }

    private static Path temporary() {
        return Path.of(System.getProperty("java.io.tmpdir"));
    }

    private static Path unpacked() {
        try (InputStream archive = PostgresBinaries.class.getResourceAsStream(ARCHIVE)) {
            if (archive == null) {
                return Path.of("/nonexistent");
            }
            byte[] bytes = archive.readAllBytes();
            String hash = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes), 0, 6);
            Path target = temporary().resolve("quantadb-pg18-" + hash);
            once(target, fresh -> unpack(bytes, fresh));
            return target.resolve("bin");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private interface Maker {
        void make(Path fresh) throws IOException;
    }

    /** Makes {@code target} under another name and renames it, so that it is whole wherever it exists. */
    private static synchronized void once(Path target, Maker maker) throws IOException {
        if (Files.exists(target)) {
            return;
        }
        Path lockFile = target.resolveSibling(target.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            if (!Files.exists(target)) {
                Path fresh = Files.createTempDirectory(target.getParent(), "qnew");
                Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
                maker.make(fresh);
                Files.move(fresh, target);
            }
        }
    }

    private static void unpack(byte[] archive, Path target) throws IOException {
        try (var tar = new TarArchiveInputStream(new XZInputStream(new java.io.ByteArrayInputStream(archive)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path file = target.resolve(entry.getName()).normalize();
                if (entry.isDirectory()) {
                    Files.createDirectories(file);
                } else if (entry.isSymbolicLink()) {
                    Files.createDirectories(file.getParent());
                    Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
                } else {
                    Files.createDirectories(file.getParent());
                    Files.copy(tar, file);
                    boolean program = (entry.getMode() & 0100) != 0;
                    Files.setPosixFilePermissions(
                            file, PosixFilePermissions.fromString(program ? "rwxr-xr-x" : "rw-r--r--"));
                }
            }
        }
    }

    /** A cluster that was made and never started. */
    Path template(String... options) {
        String user = OsUser.SERVER.prefix().isEmpty() ? System.getProperty("user.name") : "server";
        Path target = temporary()
                .resolve("quantadb-initdb-%d-%s%s".formatted(version.major(), user, String.join("", options)));
        try {
            once(target, fresh -> {
                OsUser.SERVER.own(fresh);
                initdb(fresh, options);
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return target;
    }

    void initdb(Path data, String... options) {
        List<String> command = new ArrayList<>(List.of(
                bin.resolve("initdb").toString(),
                "-D",
                data.toString(),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync"));
        command.addAll(List.of(options));
        OsUser.SERVER.run(command);
    }
}
