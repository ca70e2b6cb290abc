package io.quantadb.node.runtime;

import io.quantadb.node.config.NodeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Where a node keeps what. */
record NodeFiles(Path facts, Path raft, Path data, Path postgresPrivate, Path sockets) {
    static NodeFiles of(NodeConfig config) {
        Path meta = config.cluster().dataDir();
        return new NodeFiles(
                meta.resolve("node.facts"),
                meta.resolve("raft"),
                config.postgresDataDir(),
                config.dataDir().resolve("postgres-conf"),
                config.runDir());
    }

    /** Makes the folder of the cluster metadata, which nobody but the agent may enter. */
    void create() throws IOException {
        Path meta = raft.getParent();
        if (meta != null && !Files.isDirectory(meta)) {
            Path above = meta.getParent();
            if (above != null) {
                Files.createDirectories(above);
            }
            Files.createDirectory(
                    meta, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }
}
