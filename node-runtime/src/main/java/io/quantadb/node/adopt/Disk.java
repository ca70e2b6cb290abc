package io.quantadb.node.adopt;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/** Changes of the disk that are durable when they return; {@link LocalFault} when one cannot be made. */
final class Disk {
    /** Who owns a file, and who may read it. */
    record Access(int uid, int gid, String mode) {
        static Access of(Path file) throws IOException {
            return new Access(
                    (int) Objects.requireNonNull(Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)),
                    (int) Objects.requireNonNull(Files.getAttribute(file, "unix:gid", LinkOption.NOFOLLOW_LINKS)),
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        }
    }

    interface Change {
        void run() throws IOException;
    }

    private Disk() {}

    /** Replaces the file in one step; what was there stays until what is new is whole. */
    static void write(Path file, byte[] bytes, Access access) {
        durably(file, () -> {
            Path fresh = file.resolveSibling("." + file.getFileName() + ".quantadb");
            Files.deleteIfExists(fresh);
            try (FileChannel channel = FileChannel.open(
                    fresh,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
                ByteBuffer left = ByteBuffer.wrap(bytes);
                while (left.hasRemaining()) {
                    channel.write(left);
                }
                channel.force(true);
            }
            if (!Access.of(fresh).equals(access)) {
                Files.setAttribute(fresh, "unix:uid", access.uid());
                Files.setAttribute(fresh, "unix:gid", access.gid());
                Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString(access.mode()));
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        });
    }

    /** Nothing when it is not there. */
    static void delete(Path file) {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        durably(file, () -> Files.deleteIfExists(file));
    }

    /** A folder that nobody but this process's user may enter. */
    static void privateFolder(Path folder) {
        if (!Files.isDirectory(folder)) {
            durably(
                    folder,
                    () -> Files.createDirectory(
                            folder,
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))));
        }
    }

    static void link(Path link, Path target) {
        durably(link, () -> Files.createSymbolicLink(link, target));
    }

    /** A change of names in the folder of this path. */
    private static void durably(Path path, Change change) {
        try {
            change.run();
            try (FileChannel folder = FileChannel.open(path.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
                folder.force(true);
            }
        } catch (IOException e) {
            throw new LocalFault("%s cannot be changed: %s".formatted(path, e), e);
        }
    }

    /** Removes a folder with all that is in it, links not followed; nothing when it is not there. */
    static void deleteTree(Path folder) {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(folder)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        } catch (NoSuchFileException e) {
            return;
        } catch (IOException e) {
            throw new LocalFault("%s cannot be removed: %s".formatted(folder, e), e);
        }
        all.forEach(path -> {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                throw new LocalFault("%s cannot be removed: %s".formatted(path, e), e);
            }
        });
    }

    /** Whether it is gone: one that holds anything stays. */
    static boolean deleteIfEmpty(Path folder) {
        try (Stream<Path> all = Files.list(folder)) {
            if (all.findAny().isPresent()) {
                return false;
            }
        } catch (NoSuchFileException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
        delete(folder);
        return true;
    }
}
