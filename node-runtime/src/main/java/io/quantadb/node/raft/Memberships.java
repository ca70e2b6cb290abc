package io.quantadb.node.raft;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** The memberships in the log and the one before it: the newest is in force, truncation brings an older one back. */
final class Memberships {
    private record At(long index, Membership membership) {}

    private final Deque<At> history = new ArrayDeque<>();

    Memberships(@Nullable Snapshot snapshot, Iterable<LogEntry> entries) {
        reset(snapshot);
        for (LogEntry e : entries) {
            // Entries kept from before the snapshot are in it already.
            if (snapshot == null || e.index() > snapshot.index()) {
                appended(e);
            }
        }
    }

    Membership current() {
        return history.getLast().membership();
    }

    /** Where the membership in force was appended. */
    long currentIndex() {
        return history.getLast().index();
    }

    Membership at(long index) {
        Iterator<At> newestFirst = history.descendingIterator();
        while (newestFirst.hasNext()) {
            At at = newestFirst.next();
            if (at.index() <= index) {
                return at.membership();
            }
        }
        return history.getFirst().membership();
    }

    void appended(LogEntry e) {
        if (e.kind() == EntryKind.MEMBERSHIP) {
            history.addLast(new At(e.index(), MembershipCodec.decode(e.data())));
        }
    }

    void truncatedFrom(long index) {
        while (history.getLast().index() >= index && history.size() > 1) {
            history.removeLast();
        }
    }

    void compactedTo(long index) {
        Membership base = at(index);
        history.removeIf(at -> at.index() <= index);
        history.addFirst(new At(index, base));
    }

    void reset(@Nullable Snapshot snapshot) {
        history.clear();
        history.add(snapshot == null ? new At(0, Membership.EMPTY) : new At(snapshot.index(), snapshot.membership()));
    }
}
