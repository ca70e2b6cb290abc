package io.quantadb.node.raft.sim;

import io.quantadb.node.raft.EntryKind;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.MembershipCodec;
import io.quantadb.node.raft.Snapshot;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What must hold at every moment: election safety, leader completeness, state machine safety, log matching (Raft §5,
 * figure 3), and that no two leases overlap in true time.
 */
final class Invariants {
    private final SimWorld world;
    private final Map<Long, String> leaderOfTerm = new HashMap<>();
    private final TreeMap<Long, LogEntry> committed = new TreeMap<>();
    /** The term of the first node that knew the entry committed: committed in this term or an earlier one. */
    private final Map<Long, Long> committedBy = new HashMap<>();

    private final Map<Long, Long> stateAfter = new HashMap<>();
    Membership membership;
    /** Told of each election, after it was checked. */
    Consumer<SimNode> whenLeader = n -> {};

    Invariants(SimWorld world, Membership initial) {
        this.world = world;
        this.membership = initial;
    }

    long highestCommitted() {
        return committed.isEmpty() ? 0 : committed.lastKey();
    }

    void onApplied(SimNode n, LogEntry e) {
        LogEntry known = committed.putIfAbsent(e.index(), e);
        committedBy.putIfAbsent(e.index(), n.core.term());
        if (known != null && !known.equals(e)) {
            throw new AssertionError(
                    "state machine safety: %s applied %s, another applied %s".formatted(n.self, e, known));
        }
        if (known == null && e.kind() == EntryKind.MEMBERSHIP) {
            membership = MembershipCodec.decode(e.data());
        }
        requireSameState(n, e.index());
        world.trace("%s applied %d@%d".formatted(n.self, e.index(), e.term()));
    }

    void onRestored(SimNode n, Snapshot s) {
        requireSameState(n, s.index());
    }

    private void requireSameState(SimNode n, long index) {
        Long known = stateAfter.putIfAbsent(index, n.stateHash);
        if (known != null && known != n.stateHash) {
            throw new AssertionError("state machine safety: %s differs after %d".formatted(n.self, index));
        }
    }

    void onLeader(SimNode n) {
        String before = leaderOfTerm.putIfAbsent(n.core.term(), n.self.toString());
        if (before != null && !before.equals(n.self.toString())) {
            throw new AssertionError(
                    "election safety: %s and %s lead in term %d".formatted(before, n.self, n.core.term()));
        }
        long from = n.memory.isEmpty() ? n.applied + 1 : n.memory.firstKey();
        for (LogEntry e : committed.tailMap(Math.max(from, n.applied + 1), true).values()) {
            LogEntry own = n.memory.get(e.index());
            if (committedBy.get(e.index()) < n.core.term() && !e.equals(own)) {
                throw new AssertionError("leader completeness: %s leads in term %d without %s (has %s)"
                        .formatted(n.self, n.core.term(), e, own));
            }
        }
        logMatching();
        whenLeader.accept(n);
    }

    void onLease(SimNode n) {
        for (SimNode other : world.nodes) {
            if (other != n && other.leaseEnd > world.now && n.leaseEnd > world.now) {
                throw new AssertionError("lease exclusivity: %s until %d and %s until %d, now %d"
                        .formatted(n.self, n.leaseEnd, other.self, other.leaseEnd, world.now));
            }
        }
    }

    /** Two logs that have an entry of one index and term agree before it. */
    void logMatching() {
        for (SimNode a : world.nodes) {
            for (SimNode b : world.nodes) {
                if (a.self.compareTo(b.self) < 0 && !a.memory.isEmpty() && !b.memory.isEmpty()) {
                    requireMatching(a, b);
                }
            }
        }
    }

    private void requireMatching(SimNode a, SimNode b) {
        boolean agreed = false;
        long low = Math.max(a.memory.firstKey(), b.memory.firstKey());
        for (LogEntry e : a.memory.tailMap(low, true).descendingMap().values()) {
            LogEntry other = b.memory.get(e.index());
            boolean same = other != null && other.term() == e.term();
            if (agreed && !e.equals(other)) {
                throw new AssertionError("log matching: %s has %s, %s has %s".formatted(a.self, e, b.self, other));
            }
            agreed |= same;
        }
    }
}
