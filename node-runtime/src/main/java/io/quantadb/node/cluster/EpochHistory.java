package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which WAL belongs to which branch, by the recorded epochs. A timeline has one writer, so two nodes that hold the same
 * timeline up to the same position hold the same bytes; a branch is then a chain of timelines with the fork at which
 * each left its parent. Pure.
 */
public final class EpochHistory {
    /** Furthest ahead last: the timeline first (a higher one holds all that a released one acknowledged), then LSN. */
    public static final Comparator<Position> ORDER =
            Comparator.comparingInt(Position::timeline).thenComparing(Position::lsn);

    private EpochHistory() {}

    /**
     * Whether WAL that ends at this position lies wholly on the branch of that timeline: its timeline is in the chain
     * and its end is not beyond the point where the chain left it.
     */
    public static boolean onBranch(List<EpochRecord> history, int timeline, Position end) {
        int at = timeline;
        Lsn limit = new Lsn(-1L);
        for (int steps = 0; steps <= history.size(); steps++) {
            if (at == end.timeline()) {
                return limit.atLeast(end.lsn());
            }
            EpochRecord began = beganTimeline(history, at);
            if (began == null || began.parentTimeline() == 0) {
                return false;
            }
            limit = Lsn.min(limit, began.branchPoint());
            at = began.parentTimeline();
        }
        return false;
    }

    static @Nullable EpochRecord beganTimeline(List<EpochRecord> history, int timeline) {
        for (EpochRecord r : history) {
            if (r.timeline() == timeline && r.ownTimeline()) {
                return r;
            }
        }
        return null;
    }
}
