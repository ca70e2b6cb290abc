package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;
import java.util.ArrayList;
import java.util.List;

/** Which segment files may hold the WAL of one timeline and its ancestors. */
record Lineage(TimelineHistory history, WalLayout layout) {
    int timelineOf(Lsn position) {
        return history.timelineOf(position);
    }

    /**
     * True when a page that begins at {@code address} may bear {@code timeline}: it bears the one that owned its first
     * byte. Where the ancestors are not known (a timeline above 1 without its history file), any older one will do.
     */
    boolean mayBear(Lsn address, int timeline) {
        if (history.parents().isEmpty() && history.timeline() > 1) {
            return timeline > 0 && timeline <= history.timeline();
        }
        return timelineOf(address) == timeline;
    }

    /**
     * Timelines whose file of {@code segment} can hold a record that begins at {@code start}, best first. The owner's
     * own file comes first; that of a younger timeline, which begins with a copy of what it inherits, serves where the
     * owner's is gone.
     */
    List<Integer> candidates(Lsn start, long segment) {
        if (history.parents().isEmpty()) {
            return List.of(history.timeline());
        }
        int owner = timelineOf(start);
        List<Integer> found = new ArrayList<>();
        Lsn begin = Lsn.NONE;
        for (TimelineHistory.Parent parent : history.parents()) {
            addCandidate(found, parent.timeline(), begin, owner, segment);
            begin = parent.switchPoint();
        }
        addCandidate(found, history.timeline(), begin, owner, segment);
        return found;
    }

    private void addCandidate(List<Integer> found, int timeline, Lsn begin, int owner, long segment) {
        if (timeline >= owner && layout.segmentOf(begin) <= segment) {
            found.add(timeline);
        }
    }
}
