package io.quantadb.node.adopt;

import io.quantadb.node.adopt.Disk.Access;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A file that an adoption changes, as it was before.
 *
 * @param path where it lies
 * @param access null when it was not there: going back removes it
 * @param written a checksum of what the adoption puts in its place, empty for nothing
 */
record SavedFile(Path path, @Nullable Access access, String written) {
    /** Copies the file into the folder, under its own name. */
    static SavedFile save(Path path, Path folder) {
        if (!Files.exists(path)) {
            return new SavedFile(path, null, "");
        }
        try {
            Access access = Access.of(path);
            Access own = Access.of(folder);
            Disk.write(copy(path, folder), Files.readAllBytes(path), new Access(own.uid(), own.gid(), "rw-------"));
            return new SavedFile(path, access, "");
        } catch (IOException e) {
            throw new LocalFault("%s cannot be saved: %s".formatted(path, e), e);
        }
    }

    private static Path copy(Path path, Path folder) {
        return folder.resolve(path.getFileName());
    }

    SavedFile replacedBy(byte[] bytes) {
        return new SavedFile(path, access, digest(bytes));
    }

    /** Whether it is neither what the adoption wrote nor what was there before. PostgreSQL writes some by itself. */
    boolean changedSince(Path folder) {
        if (written.isEmpty() || !Files.exists(path)) {
            return false;
        }
        try {
            String now = digest(Files.readAllBytes(path));
            boolean asBefore = access != null && now.equals(digest(Files.readAllBytes(copy(path, folder))));
            return !now.equals(written) && !asBefore;
        } catch (IOException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(path, e), e);
        }
    }

    /** Puts back what was there. */
    void restore(Path folder) {
        Access as = access;
        if (as == null) {
            Disk.delete(path);
            return;
        }
        try {
            Disk.write(path, Files.readAllBytes(copy(path, folder)), as);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be put back from %s: %s".formatted(path, folder, e), e);
        }
    }

    private static String digest(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
