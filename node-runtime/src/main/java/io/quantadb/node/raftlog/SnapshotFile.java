package io.quantadb.node.raftlog;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.raft.RaftCodec;
import io.quantadb.node.raft.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The latest snapshot: one file, replaced as a whole (written beside, flushed, renamed).
 * <pre>
 * file: one batch of sectors, sequence = index + 1, payload = snapshot as on the wire
 * </pre>
 */
final class SnapshotFile {
    private final Path file;

    SnapshotFile(Path directory) {
        this.file = directory.resolve("snapshot");
    }

    void write(Snapshot snapshot) {
        ByteBuffer payload = ByteBuffer.allocate(RaftCodec.snapshotBytes(snapshot));
        RaftCodec.writeSnapshot(payload, snapshot);
        ByteBuffer out = ByteBuffer.allocate(Sectors.count(payload.capacity()) * Sectors.SIZE);
        Sectors.write(out, snapshot.index() + 1, payload.array());
        try {
            DiskFiles.createAtomically(file, channel -> DiskFiles.writeFully(channel, out.flip(), 0));
        } catch (IOException e) {
            throw DiskFiles.fault("cannot write", file, e);
        }
    }

    @Nullable
    Snapshot read() {
        if (!Files.exists(file)) {
            return null;
        }
        try {
            ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file));
            int sectors = in.capacity() / Sectors.SIZE;
            Sectors.Batch batch = Sectors.read(in, 0, sectors);
            if (batch == null || batch.sectors() * Sectors.SIZE != in.capacity()) {
                throw new LocalFault(
                        "%s is damaged: restore it, or empty this node and let it join anew".formatted(file));
            }
            return RaftCodec.readSnapshot(ByteBuffer.wrap(batch.payload()));
        } catch (IOException e) {
            throw DiskFiles.fault("cannot read", file, e);
        } catch (IllegalArgumentException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }
}
