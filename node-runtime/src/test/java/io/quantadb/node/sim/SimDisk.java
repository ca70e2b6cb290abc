package io.quantadb.node.sim;

import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raft.HardState;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.Snapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;

/** What an agent keeps: Raft's log and hard state, the promise, the generation. A crash loses what was not complete. */
final class SimDisk {
    private final SimWorld world;
    private HardState hardState;
    private Snapshot snapshot;
    private final TreeMap<Long, LogEntry> log = new TreeMap<>();
    private final Deque<DiskWrite> pending = new ArrayDeque<>();
    long promise;
    /** What was promised, whatever a restart finds of it: for the invariants alone. */
    long promisedEver;

    long generation;

    SimDisk(SimWorld world, RaftRestored initial) {
        this.world = world;
        hardState = initial.hardState();
        snapshot = initial.snapshot();
        initial.entries().forEach(e -> log.put(e.index(), e));
    }

    void submit(DiskWrite w) {
        pending.add(w);
    }

    boolean idle() {
        return pending.isEmpty();
    }

    long completeOne() {
        DiskWrite w = pending.removeFirst();
        apply(w, 3);
        return w.writeId();
    }

    /** The write under way may be torn between its parts; those behind it are gone. */
    void crash() {
        if (!pending.isEmpty()) {
            apply(pending.getFirst(), world.random.nextInt(4));
        }
        pending.clear();
    }

    RaftRestored restored() {
        List<LogEntry> entries = new ArrayList<>(log.values());
        if (snapshot != null && !entries.isEmpty() && entries.getFirst().index() <= snapshot.index()) {
            LogEntry at = log.get(snapshot.index());
            if (at == null || at.term() != snapshot.term()) {
                log.clear();
                entries.clear();
            }
        }
        return new RaftRestored(hardState, snapshot, entries);
    }

    private void apply(DiskWrite w, int parts) {
        if (parts >= 1 && w.hardState() != null) {
            hardState = w.hardState();
        }
        if (parts >= 2 && w.snapshot() != null) {
            snapshot = w.snapshot();
        }
        if (parts >= 3) {
            if (w.reset()) {
                log.clear();
            }
            if (w.truncateFrom() > 0) {
                log.tailMap(w.truncateFrom(), true).clear();
            }
            w.entries().forEach(e -> log.put(e.index(), e));
            if (w.compactTo() > 0) {
                log.headMap(w.compactTo(), true).clear();
            }
        }
    }
}
