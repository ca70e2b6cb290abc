package io.quantadb.node.pki;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An authority for trying QuantaDB out on one machine without {@code init}: made at the first need in the user's own
 * folder, which that user alone can read, and good for loopback names only. Several processes may start at the same
 * moment: a file lock lets one make the files and the others use them.
 *
 * <p>Blocking; any thread. The wait for the lock ends after {@value #LOCK_WAIT_SECONDS} s with a {@link LocalFault}.
 */
public final class DevelopmentCa {
    /** What the certificates say the cluster is called. */
    public static final String CLUSTER_NAME = "development";

    static final int LOCK_WAIT_SECONDS = 10;
    private static final List<String> LOOPBACK = List.of("localhost", "127.0.0.1", "::1");
    private static final Duration RENEW_BEFORE_END = Duration.ofDays(30);

    private final Path folder;
    private final ClusterCa ca;
    private final InstantSource clock;

    private DevelopmentCa(Path folder, ClusterCa ca, InstantSource clock) {
        this.folder = folder;
        this.ca = ca;
        this.clock = clock;
    }

    /**
     * Opens the authority in {@code userFolder}, which is made (0700) if need be.
     *
     * @throws LocalFault when others can read the folder, it is another user's, or it cannot be made or locked
     */
    public static DevelopmentCa openOrCreate(Path userFolder, InstantSource clock) {
        PemFiles.makePrivateDirectory(userFolder);
        requirePrivate(userFolder);
        ClusterCa ca = locked(
                userFolder,
                () -> ClusterCa.exists(userFolder)
                        ? ClusterCa.open(userFolder, clock)
                        : ClusterCa.createAnyway(userFolder, CLUSTER_NAME, clock));
        return new DevelopmentCa(userFolder, ca, clock);
    }

    /** A node's files for loopback names: those that lie there while they are good, new ones otherwise. */
    public TlsFiles issueNode(NodeId node) {
        return locked(folder, () -> {
            TlsFiles there =
                    new TlsFiles(ca.certificateFile(), folder.resolve(node + ".crt"), folder.resolve(node + ".key"));
            return isGood(there, node) ? there : ca.issueNode(node, LOOPBACK, ClusterCa.NODE_VALIDITY);
        });
    }

    public Path folder() {
        return folder;
    }

    private boolean isGood(TlsFiles files, NodeId node) {
        if (!Files.exists(files.cert()) || !Files.exists(files.key())) {
            return false;
        }
        Instant now = clock.instant();
        try {
            return NodeCredentials.load(files, node, now).expires().isAfter(now.plus(RENEW_BEFORE_END));
        } catch (LocalFault e) {
            // Expired, damaged or of an authority that was here before: this one may simply issue another.
            return false;
        }
    }

    private static void requirePrivate(Path folder) {
        try {
            PosixFileAttributes attributes =
                    Files.readAttributes(folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            String mode = PosixFilePermissions.toString(attributes.permissions());
            if (!attributes.isDirectory()) {
                throw new LocalFault(
                        "%s is not a directory of its own: the development CA needs one; remove it".formatted(folder));
            }
            if (!mode.endsWith("------")) {
                throw new LocalFault(
                        "%s holds the development CA's key and others may enter it (%s): run 'chmod 700 %s'; if others could have read it, remove it, and a new one will be made"
                                .formatted(folder, mode, folder));
            }
            UserPrincipal us = whoWeAre(folder);
            if (!attributes.owner().equals(us)) {
                throw new LocalFault("%s belongs to user '%s' and this process runs as '%s': use a folder of your own"
                        .formatted(folder, attributes.owner().getName(), us.getName()));
            }
        } catch (IOException e) {
            throw new LocalFault("%s cannot be looked at: %s".formatted(folder, e), e);
        }
    }

    // The name in the environment need not be one: in a container the user may have a number only.
    private static UserPrincipal whoWeAre(Path folder) throws IOException {
        Path probe = Files.createTempFile(folder, ".owner", null);
        try {
            return Files.getOwner(probe);
        } finally {
            Files.delete(probe);
        }
    }

    // A file lock is the process's, not the thread's: threads of one process take turns through the monitor.
    private static synchronized <T> T locked(Path folder, Supplier<T> work) {
        Path file = folder.resolve(".lock");
        try (FileChannel channel = FileChannel.open(
                        file,
                        java.util.Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(PemFiles.OWNER_ONLY_FILE));
                FileLock lock = lock(channel, file)) {
            if (!lock.isValid()) {
                throw new LocalFault("the lock %s was lost: try again".formatted(file));
            }
            return work.get();
        } catch (IOException e) {
            throw new LocalFault("%s cannot be locked: %s".formatted(file, e), e);
        }
    }

    private static FileLock lock(FileChannel channel, Path file) throws IOException {
        for (int tries = LOCK_WAIT_SECONDS * 50; tries > 0; tries--) {
            FileLock lock = tryLock(channel);
            if (lock != null) {
                return lock;
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LocalFault("interrupted while waiting for %s".formatted(file), e);
            }
        }
        throw new LocalFault(
                "another process has held %s for %d s: end it, or remove the file if there is none, and try again"
                        .formatted(file, LOCK_WAIT_SECONDS));
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }
}
