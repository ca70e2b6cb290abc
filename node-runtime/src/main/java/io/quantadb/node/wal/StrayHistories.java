package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Removes the histories of timelines that the data is not on, before a server starts as a standby. PostgreSQL takes the
 * youngest timeline that it finds a history of for the one to follow ({@code recovery_target_timeline = latest},
 * findNewestTimeLine of timeline.c), and asks its primary for that one: "requested timeline 2 is not in this server's
 * history", at every try and for ever. Such a file is left by a promotion that was killed before the first record of its
 * timeline was on disk, or was fetched from a primary that was lost with all that it had written on it.
 *
 * <p>Nothing is lost: the receiver fetches every history between its own timeline and the primary's that it lacks.
 */
public final class StrayHistories {
    private static final Pattern NAME = Pattern.compile("([0-9A-F]{8})\\.history");

    private final Path dataDirectory;

    /** For a directory whose server does not run. */
    public StrayHistories(Path dataDirectory) {
        this.dataDirectory = dataDirectory;
    }

    /**
     * Removes those above the timeline on which the WAL ends. Those that replay has gone through stay in any case, and all
     * of them where the end is not sure.
     *
     * @return the names of the files that were removed; durable when it returns. {@link LocalFault} when the disk fails
     */
    public List<String> removeBeyond(WalEnd end) {
        if (!end.sure()) {
            return List.of();
        }
        Path directory = dataDirectory.resolve("pg_wal");
        int last = Math.max(end.timeline(), ControlFile.read(dataDirectory).minRecoveryTimeline());
        List<String> removed = new ArrayList<>();
        try {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.history")) {
                for (Path file : files) {
                    Matcher name = NAME.matcher(String.valueOf(file.getFileName()));
                    if (name.matches() && Long.parseLong(name.group(1), 16) > last) {
                        Files.delete(file);
                        removed.add(name.group());
                    }
                }
            }
            if (!removed.isEmpty()) {
                Durable.force(directory);
            }
        } catch (IOException e) {
            throw new LocalFault("%s cannot be looked through: %s".formatted(directory, IoReason.of(e)), e);
        }
        return removed.stream().sorted().toList();
    }
}
