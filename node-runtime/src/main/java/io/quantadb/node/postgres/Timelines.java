package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.wal.ControlFile;
import io.quantadb.node.wal.TimelineHistory;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes PostgreSQL take a given timeline. At a promotion it takes the first number, counted from its own, for which it
 * finds no history file; an empty file says that the number is taken and names no ancestor.
 *
 * <p>An empty file must never be the newest of the unbroken row that PostgreSQL finds when it <em>starts</em>: it would
 * choose that timeline as its target, miss itself among the ancestors and give up ("requested timeline N is not a child
 * of this server's history"). While it runs, it only says that such a timeline is no child of its own and stays where
 * it is. So those that an unfinished promotion left at the end of the row are removed before a start; ones that a real
 * timeline follows are kept for ever, since standbys ask for them.
 */
final class Timelines {
    private final Path dataDirectory;
    private final ServerUser user;

    Timelines(Path dataDirectory, ServerUser user) {
        this.dataDirectory = dataDirectory;
        this.user = user;
    }

    /**
     * Writes and flushes an empty history for every number from {@code own + 1} to {@code wanted - 1} that has none.
     * {@link LocalFault} when {@code wanted} itself is taken or not above {@code own}: nothing is written then.
     */
    List<Integer> reserve(int own, int wanted) {
        if (wanted <= own) {
            throw new LocalFault("timeline %d cannot follow timeline %d".formatted(wanted, own));
        }
        if (Files.exists(history(wanted))) {
            throw new LocalFault("timeline %d is taken already: %s exists".formatted(wanted, history(wanted)));
        }
        var written = new ArrayList<Integer>();
        try {
            for (int timeline = own + 1; timeline < wanted; timeline++) {
                if (writeEmpty(history(timeline))) {
                    written.add(timeline);
                }
            }
            if (!written.isEmpty()) {
                DirectoryTree.sync(walDirectory());
            }
        } catch (IOException e) {
            throw new LocalFault(
                    "cannot write timeline histories in %s: %s".formatted(walDirectory(), IoReason.of(e)), e);
        }
        return written;
    }

    /** Before a start: removes empty histories at the end of the row that PostgreSQL will walk. Returns which. */
    List<Integer> dropDangling() {
        int newest = ControlFile.read(dataDirectory).checkpointTimeline();
        int own = newest;
        while (Files.exists(history(newest + 1))) {
            newest++;
        }
        var removed = new ArrayList<Integer>();
        try {
            while (newest > own && Files.size(history(newest)) == 0) {
                Files.delete(history(newest));
                removed.add(newest--);
            }
            if (!removed.isEmpty()) {
                DirectoryTree.sync(walDirectory());
            }
        } catch (IOException e) {
            throw new LocalFault(
                    "cannot remove timeline histories in %s: %s".formatted(walDirectory(), IoReason.of(e)), e);
        }
        return removed;
    }

    /** Where the timeline left its parent; {@link LocalFault} when its history names none. */
    TimelineHistory.Parent parentOf(int timeline) {
        List<TimelineHistory.Parent> parents =
                TimelineHistory.read(dataDirectory, timeline).parents();
        if (parents.isEmpty()) {
            throw new LocalFault("the history of timeline %d names no parent".formatted(timeline));
        }
        return parents.getLast();
    }

    /**
     * Makes the file under another name first and links it into place when its owner is right: the server looks for the
     * next history several times a second, and one that it may not read is fatal to it. A link never replaces a
     * history that came meanwhile.
     */
    private boolean writeEmpty(Path file) throws IOException {
        Path fresh = walDirectory().resolve("quantadb." + file.getFileName());
        Files.deleteIfExists(fresh);
        Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try {
            user.own(fresh);
            Files.createLink(file, fresh);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } finally {
            Files.delete(fresh);
        }
    }

    private Path walDirectory() {
        return dataDirectory.resolve("pg_wal");
    }

    private Path history(int timeline) {
        return walDirectory().resolve(TimelineHistory.fileName(timeline));
    }
}
