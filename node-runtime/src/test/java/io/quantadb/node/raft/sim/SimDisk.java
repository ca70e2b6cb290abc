package io.quantadb.node.raft.sim;

import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raft.HardState;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.Snapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** A disk as RaftStorage presents it: writes complete in order, a crash loses or tears what has not completed. */
public final class SimDisk {
    private HardState hardState;
    private Snapshot snapshot;
    private final TreeMap<Long, LogEntry> log = new TreeMap<>();
    private final Deque<DiskWrite> pending = new ArrayDeque<>();

    public SimDisk(RaftRestored initial) {
        hardState = initial.hardState();
        snapshot = initial.snapshot();
        initial.entries().forEach(e -> log.put(e.index(), e));
    }

    public void submit(DiskWrite w) {
        pending.add(w);
    }

    /** Completes the oldest write and returns its id. */
    public long completeOne() {
        DiskWrite w = pending.removeFirst();
        apply(w, 3);
        return w.writeId();
    }

    public boolean idle() {
        return pending.isEmpty();
    }

    /** What was not complete is gone, but for a part of the write that was under way. */
    public void crash(RandomGenerator random) {
        if (!pending.isEmpty()) {
            apply(pending.getFirst(), random.nextInt(4));
        }
        pending.clear();
    }

    public RaftRestored restored() {
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

    /** Parts are done in the order that DiskWrite demands: hard state, snapshot, log. */
    private void apply(DiskWrite w, int parts) {
        if (parts >= 1 && w.hardState() != null) {
            hardState = w.hardState();
        }
        if (parts >= 2 && w.snapshot() != null) {
            snapshot = w.snapshot();
        }
        if (parts >= 3) {
            applyLog(w, log);
        }
    }

    static void applyLog(DiskWrite w, NavigableMap<Long, LogEntry> log) {
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
