package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.SlotNames;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What life in a cluster leaves in a data directory and a plain server must not find: signal files, the members' replication
 * slots, and empty timeline histories at the end of the row. Histories between real ones stay, as they are part of its past.
 */
public final class ClusterTraces {
    private ClusterTraces() {}

    /** Removes them, durably; no server runs. {@link LocalFault} when one cannot be removed. */
    public static void remove(Path dataDirectory, ServerUser user) {
        try {
            for (String signal : new String[] {"standby.signal", "recovery.signal", Promoter.PROMOTE_SIGNAL}) {
                Files.deleteIfExists(dataDirectory.resolve(signal));
            }
            Path slots = dataDirectory.resolve("pg_replslot");
            try (DirectoryStream<Path> ours = Files.newDirectoryStream(slots, SlotNames.PREFIX + "*")) {
                for (Path slot : ours) {
                    DirectoryTree.delete(slot);
                }
            }
            DirectoryTree.sync(slots);
            DirectoryTree.sync(dataDirectory);
        } catch (IOException e) {
            throw new LocalFault(
                    "%s cannot be cleared of what the cluster left: %s".formatted(dataDirectory, IoReason.of(e)), e);
        }
        var _ = new Timelines(dataDirectory, user).dropDangling();
    }
}
