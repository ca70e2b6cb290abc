package io.quantadb.node.adopt;

import io.quantadb.node.postgres.ConfFile;
import io.quantadb.node.postgres.PostgresBinaries;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.postgres.SharedCatalogs;
import io.quantadb.node.wal.ControlFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was seen of a data directory on which no server should run.
 *
 * @param real the directory without links on the way
 * @param major of {@code PG_VERSION}; 0 when that says no number
 * @param owner the user whose the directory is
 * @param configFile what the server was configured by when it ran last
 * @param troubles why something could not be looked at, by subject
 */
record Look(
        Path real,
        int major,
        String owner,
        String mode,
        List<Path> strangers,
        @Nullable ControlFile control,
        @Nullable ServerUser user,
        @Nullable PostgresBinaries binaries,
        List<Long> processes,
        List<String> signals,
        List<String> tablespaces,
        @Nullable Path walElsewhere,
        List<Slot> slots,
        int preparedTransactions,
        int newestHistory,
        Path configFile,
        @Nullable ConfFile config,
        ConfFile auto,
        int hbaRules,
        @Nullable SharedCatalogs catalogs,
        long freeBytes,
        Place place,
        Map<String, String> troubles) {

    /** A replication slot; a logical one belongs to a database. */
    record Slot(String name, boolean logical) {}

    /**
     * Where the node will be.
     *
     * @param link where the node expects its PostgreSQL data
     * @param linkTaken by something that is not this directory
     * @param belongsToCluster the node's folder has an identity
     * @param adoption what an earlier adoption left; null for none
     * @param configuredUser {@code postgres.os_user}, null when not set
     * @param configured {@code postgres.parameters}
     * @param agentIsRoot whether the agent changes to another user for PostgreSQL
     */
    record Place(
            Path folder,
            Path link,
            boolean linkTaken,
            boolean nested,
            boolean belongsToCluster,
            @Nullable Adoption adoption,
            @Nullable String configuredUser,
            Map<String, String> configured,
            List<String> hba,
            boolean agentIsRoot) {}

    Look {
        strangers = List.copyOf(strangers);
        processes = List.copyOf(processes);
        signals = List.copyOf(signals);
        tablespaces = List.copyOf(tablespaces);
        slots = List.copyOf(slots);
        troubles = Map.copyOf(troubles);
    }
}
