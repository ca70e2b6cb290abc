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
        Lsn limit = limitOn(history, timeline, end.timeline());
        return limit != null && limit.atLeast(end.lsn());
    }

    /** Whether the branch of that timeline goes through that other one, as far as the history tells. */
    static boolean goesThrough(List<EpochRecord> history, int timeline, int through) {
        return limitOn(history, timeline, through) != null;
    }

    /**
     * Up to where WAL that ends at this position is also on the branch of that timeline: the end itself when it lies
     * wholly on it, {@link Lsn#NONE} when the history knows no timeline that both have gone through.
     */
    public static Lsn commonUpTo(List<EpochRecord> history, int timeline, Position end) {
        Position at = end;
        for (int steps = 0; steps <= history.size(); steps++) {
            Lsn limit = limitOn(history, timeline, at.timeline());
            if (limit != null) {
                return Lsn.min(limit, at.lsn());
            }
            EpochRecord began = beganTimeline(history, at.timeline());
            if (began == null || began.parentTimeline() == 0) {
                return Lsn.NONE;
            }
            at = new Position(began.parentTimeline(), Lsn.min(at.lsn(), began.branchPoint()));
        }
        return Lsn.NONE;
    }

    /** Up to where the branch of {@code timeline} goes along {@code through}; null when it does not go through it. */
    private static @Nullable Lsn limitOn(List<EpochRecord> history, int timeline, int through) {
        int at = timeline;
        Lsn limit = new Lsn(-1L);
        for (int steps = 0; steps <= history.size(); steps++) {
            if (at == through) {
                return limit;
            }
            EpochRecord began = beganTimeline(history, at);
            if (began == null || began.parentTimeline() == 0) {
                return null;
            }
            limit = Lsn.min(limit, began.branchPoint());
            at = began.parentTimeline();
        }
        return null;
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
