package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.wal.CloneMarker;
import io.quantadb.node.wal.ControlFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The directory that PostgreSQL keeps its data in: what it holds, and the few changes that the agent makes to it while
 * no server runs on it. The caller sees to it that none does ({@link PostgresServer#awaitGone}).
 */
public final class DataDirectory {
    private static final String STANDBY_SIGNAL = "standby.signal";
    private static final String RECOVERY_SIGNAL = "recovery.signal";

    private final Path path;
    private final ServerUser user;

    public DataDirectory(Path path, ServerUser user) {
        this.path = path.toAbsolutePath().normalize();
        this.user = user;
    }

    public Path path() {
        return path;
    }

    /**
     * Looks and changes nothing.
     *
     * @param major the version of the binaries that would run on it
     * @param systemIdentifier the cluster's, when this node knows it; another one's data is refused
     */
    public DirectoryContents inspect(int major, @Nullable Long systemIdentifier) {
        try {
            Optional<Path> obstacle = OsTools.obstacle(parent(), user);
            if (obstacle.isPresent()) {
                return refused(
                        "user %s, as whom PostgreSQL runs, cannot enter %s on the way to the data directory %s:"
                                + " choose a data directory elsewhere, such as /var/lib/quantadb, or give others the right"
                                + " to enter (chmod o+x %s)",
                        user.name(), obstacle.get(), path, obstacle.get());
            }
            if (!Files.exists(path)) {
                return absent();
            }
            if (!Files.isDirectory(path)) {
                return refused("data directory %s is not a directory: choose another", path);
            }
            if (!Files.isReadable(path) || !Files.isExecutable(path)) {
                return refused("data directory %s cannot be read: give it to user %s", path, user.name());
            }
            if (isEmpty()) {
                return Files.isWritable(path) ? new DirectoryContents.Empty() : notWritable();
            }
            if (isUnfinished()) {
                return new DirectoryContents.Incomplete();
            }
            return judge(major, systemIdentifier);
        } catch (IOException e) {
            return refused("data directory %s cannot be examined: %s", path, IoReason.of(e));
        }
    }

    private DirectoryContents judge(int major, @Nullable Long systemIdentifier) throws IOException {
        Path versionFile = path.resolve("PG_VERSION");
        if (!Files.exists(versionFile)) {
            return refused(
                    "data directory %s is not empty and holds no PostgreSQL cluster: choose an empty directory, or one"
                            + " below it",
                    path);
        }
        String found = Files.readString(versionFile).strip();
        if (!found.equals(Integer.toString(major))) {
            return refused(
                    "data directory %s was made by PostgreSQL %s, and this is PostgreSQL %d: run the node with version %s,"
                            + " or choose another data directory",
                    path, found, major, found);
        }
        if (OsTools.ownerOf(path) != user.uid()) {
            return refused(
                    "data directory %s does not belong to user %s, as whom PostgreSQL runs: chown -R %s it, or name its"
                            + " owner with postgres.os_user",
                    path, user.name(), user.name());
        }
        if (!Files.isWritable(path)) {
            return notWritable();
        }
        ControlFile control;
        try {
            control = ControlFile.read(path);
        } catch (LocalFault e) {
            return refused("data directory %s is damaged: %s", path, String.valueOf(e.getMessage()));
        }
        if (systemIdentifier != null && control.systemIdentifier() != systemIdentifier) {
            return refused(
                    "data directory %s belongs to another cluster (system identifier %s, this cluster's is %s): choose"
                            + " another directory, or empty it yourself to have it cloned",
                    path, Long.toUnsignedString(control.systemIdentifier()), Long.toUnsignedString(systemIdentifier));
        }
        return new DirectoryContents.Cluster(control, major, Files.exists(path.resolve(STANDBY_SIGNAL)));
    }

    private DirectoryContents absent() {
        Path at = parent();
        while (!Files.exists(at) && at.getParent() != null) {
            at = at.getParent();
        }
        return Files.isWritable(at)
                ? new DirectoryContents.Empty()
                : refused(
                        "data directory %s cannot be made: %s is not writable for the agent's user %s",
                        path, at, user.agentName());
    }

    private DirectoryContents notWritable() {
        return refused("data directory %s is not writable for user %s: change its owner or mode", path, user.name());
    }

    /** The major version that made the data, when there is any: what {@link BinaryFinder} is to look for. */
    public OptionalInt majorOnDisk() {
        try {
            return OptionalInt.of(Integer.parseInt(
                    Files.readString(path.resolve("PG_VERSION")).strip()));
        } catch (IOException | NumberFormatException e) {
            return OptionalInt.empty();
        }
    }

    /**
     * The processes of a server on this directory, the postmaster first, whoever started it; a server of another user may
     * not be seen.
     */
    public static List<Long> processes(Path dataDirectory) {
        var server = new ServerProcesses(dataDirectory);
        List<Long> all = new ArrayList<>(server.list());
        server.livingPostmaster().ifPresent(postmaster -> {
            all.remove(Long.valueOf(postmaster));
            all.addFirst(postmaster);
        });
        return all;
    }

    /** The directory on the way to this one that PostgreSQL's user cannot enter. */
    public Optional<Path> obstacle() {
        return OsTools.obstacle(path, user);
    }

    /** Makes the empty directory that a clone goes into, and those above it. */
    public void create() {
        user.privateDirectory(path);
    }

    /** Empties what a bootstrap of ours left unfinished; anything else is left alone and {@link LocalFault} thrown. */
    public void discardUnfinished() {
        if (!isUnfinished()) {
            throw new LocalFault("data directory %s is not an unfinished one of this node".formatted(path));
        }
        requireNoServer();
        empty();
        finished();
    }

    /** Says, beside the directory (initdb wants it empty), that what will be in it is not whole yet. */
    void unfinished() {
        try {
            PrivateFile.write(unfinishedMarker(), "", user);
            DirectoryTree.sync(parent());
        } catch (IOException e) {
            throw new LocalFault("cannot write %s: %s".formatted(unfinishedMarker(), IoReason.of(e)), e);
        }
    }

    void finished() {
        try {
            Files.deleteIfExists(unfinishedMarker());
            DirectoryTree.sync(parent());
        } catch (IOException e) {
            throw new LocalFault("cannot remove %s: %s".formatted(unfinishedMarker(), IoReason.of(e)), e);
        }
    }

    /**
     * Whether a bootstrap, clone or rewind of this node has begun and not ended, or was ordered for data that nobody trusts:
     * nothing in the directory may be used.
     */
    public boolean isUnfinished() {
        return CloneMarker.isIncomplete(path) || Files.exists(unfinishedMarker());
    }

    /**
     * Before the first byte is changed by a rewind; durable. Until {@link #endRewind} the directory is {@link
     * DirectoryContents.Incomplete}, whatever happens to the agent.
     *
     * @param takenGeneration as for {@link #wipeForClone}
     */
    public void beginRewind(long takenGeneration) {
        requireTaken(takenGeneration);
        requireNoServer();
        unfinished();
    }

    /**
     * Says, durably, that what is in the directory is not to be used any more, and leaves it where it is until {@link
     * #wipeForClone}.
     *
     * @param takenGeneration as for {@link #wipeForClone}
     */
    public void giveUp(long takenGeneration) {
        requireTaken(takenGeneration);
        requireNoServer();
        unfinished();
    }

    /** All is in place and durable: forgets the slots, which were for members as they were, and takes the mark away. */
    public void endRewind() {
        try {
            Path slots = path.resolve("pg_replslot");
            DirectoryTree.deleteBelow(slots);
            DirectoryTree.sync(slots);
        } catch (IOException e) {
            throw new LocalFault("cannot empty %s/pg_replslot: %s".formatted(path, IoReason.of(e)), e);
        }
        finished();
    }

    private static void requireTaken(long generation) {
        if (generation <= 0) {
            throw new IllegalArgumentException("a data directory is given up only after a new generation was taken");
        }
    }

    private Path unfinishedMarker() {
        return path.resolveSibling(path.getFileName() + ".unfinished");
    }

    /**
     * Throws all of it away, so that a clone can take its place; the directory itself stays, it may be a mount point. A
     * crash half-way leaves it {@link DirectoryContents.Incomplete}.
     *
     * @param takenGeneration the new generation, which the caller has made durable before: proof that what the old
     *     data acknowledged no longer counts
     */
    public void wipeForClone(long takenGeneration) {
        requireTaken(takenGeneration);
        requireNoServer();
        empty();
        finished();
    }

    private void empty() {
        try {
            if (!Files.isDirectory(path) || isEmpty()) {
                return;
            }
            Path marker = path.resolve(CloneMarker.FILE_NAME);
            try (FileChannel file = FileChannel.open(marker, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                file.force(true);
            }
            DirectoryTree.sync(path);
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
                for (Path entry : entries) {
                    if (!entry.equals(marker)) {
                        DirectoryTree.delete(entry);
                    }
                }
            }
            DirectoryTree.sync(path);
            Files.delete(marker);
            DirectoryTree.sync(path);
        } catch (IOException e) {
            throw new LocalFault("cannot empty data directory %s: %s".formatted(path, IoReason.of(e)), e);
        }
    }

    /** Decides how the next start goes; durable. */
    void prepareStart(StartMode mode) {
        try {
            Files.deleteIfExists(path.resolve(RECOVERY_SIGNAL));
            Files.deleteIfExists(path.resolve(Promoter.PROMOTE_SIGNAL));
            Path standby = path.resolve(STANDBY_SIGNAL);
            if (mode == StartMode.PRIMARY) {
                Files.deleteIfExists(standby);
            } else if (!Files.exists(standby)) {
                Files.createFile(
                        standby, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                user.own(standby);
            }
            DirectoryTree.sync(path);
        } catch (IOException e) {
            throw new LocalFault("cannot prepare data directory %s: %s".formatted(path, IoReason.of(e)), e);
        }
    }

    private void requireNoServer() {
        if (!new ServerProcesses(path).list().isEmpty()) {
            throw new IllegalStateException("a server still runs on " + path);
        }
    }

    private boolean isEmpty() throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            return !entries.iterator().hasNext();
        }
    }

    private Path parent() {
        Path parent = path.getParent();
        return parent == null ? path : parent;
    }

    @SuppressWarnings("AnnotateFormatMethod") // every caller passes a literal; the annotations are not at hand
    private static DirectoryContents refused(String words, Object... values) {
        return new DirectoryContents.Refused(words.formatted(values));
    }
}
