package io.quantadb.node.runtime;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.StateCodec;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.coordinator.ReplicatedState;
import io.quantadb.node.raft.EntryKind;
import io.quantadb.node.raft.HardState;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.Snapshot;
import io.quantadb.node.raftlog.RaftStorage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;

/**
 * The Raft log of a node that recovers from a lost majority.
 *
 * @param present the old group's, and in the end the new one's
 * @param fresh the new group's, until it takes the place
 */
record RecoveredLog(Path present, Path fresh) {
    static RecoveredLog of(NodeFiles files) {
        return new RecoveredLog(files.raft(), files.raft().resolveSibling("raft.recovered"));
    }

    /** Whether a new log for that very cluster is complete, so that only its move is missing; one for none is removed. */
    boolean begunFor(String cluster) {
        if (!Files.exists(fresh)) {
            return false;
        }
        boolean same =
                RaftStorage.exists(fresh) && state(read(fresh)).clusterId().equals(cluster);
        if (!same) {
            Folders.remove(fresh);
        }
        return same;
    }

    /** What all of the old log makes of the state: entries too of which nobody can say whether they were committed. */
    ClusterState lastState() {
        ClusterState state = state(read(present));
        if (!state.bootstrapped()) {
            throw new LocalFault("%s knows no cluster yet: there is nothing to recover".formatted(present));
        }
        return state;
    }

    private static RaftRestored read(Path folder) {
        try (RaftStorage storage = RaftStorage.open(folder)) {
            return storage.restored();
        }
    }

    private static ClusterState state(RaftRestored found) {
        ReplicatedState machine = new ReplicatedState((state, index) -> {});
        Snapshot snapshot = found.snapshot();
        long from = 0;
        if (snapshot != null) {
            machine.restore(snapshot.index(), snapshot.state());
            from = snapshot.index();
        }
        for (LogEntry entry : found.entries()) {
            if (entry.index() > from && entry.kind() == EntryKind.COMMAND) {
                machine.apply(entry.index(), entry.term(), entry.data());
            }
        }
        return machine.current();
    }

    /** Writes a group of this member alone, which begins with that state; durable when it returns. */
    void write(PeerId self, ClusterState state) {
        RaftRestored old = read(present);
        Snapshot snapshot = old.snapshot();
        long last = old.entries().isEmpty()
                ? snapshot == null ? 0 : snapshot.index()
                : old.entries().getLast().index();
        long term = old.hardState().term() + 1;
        try {
            Files.createDirectories(fresh);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be made: %s".formatted(fresh, e), e);
        }
        RaftStorage.create(
                fresh,
                new RaftRestored(
                        new HardState(term, null, false),
                        new Snapshot(last + 1, term, Membership.of(self), StateCodec.encode(state)),
                        List.of()));
        force(fresh);
    }

    /** The old log is kept beside it. */
    void takePlace() {
        try {
            if (Files.exists(present)) {
                Files.move(present, kept(), StandardCopyOption.ATOMIC_MOVE);
            }
            Files.move(fresh, present, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new LocalFault("%s cannot take the place of %s: %s".formatted(fresh, present, e), e);
        }
        force(Objects.requireNonNull(present.toAbsolutePath().getParent()));
    }

    private Path kept() {
        for (int n = 1; ; n++) {
            Path free = present.resolveSibling("raft.lost-" + n);
            if (!Files.exists(free)) {
                return free;
            }
        }
    }

    private static void force(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be flushed: %s".formatted(folder, e), e);
        }
    }
}
