package io.quantadb.node.sim.invariants;

import java.util.ArrayList;
import java.util.List;

/**
 * INV1 and INV2 of protocol.md: what was acknowledged or shown is in the WAL of every later released primary. What a
 * front has shown is always a prefix of one WAL, so there is one list of it, and it only grows.
 *
 * <p>Unless an epoch is given away by C or D: then no more is owed than whoever got it holds ({@link #onMayLack}), and what
 * the primary of the epoch that is released at last has not got is lost, counted, and never seen again.
 */
public final class AcknowledgementsSurvive<R> {
    /** What stood at that place before it was lost, and all that came after it. */
    private record Lost<R>(int at, R first) {}

    private final List<R> shown = new ArrayList<>();
    private final List<Lost<R>> lost = new ArrayList<>();
    private int owedAtMost = Integer.MAX_VALUE;
    private long lostRecords;

    public void onShown(long epoch, List<R> wal, int records) {
        for (int i = 0; i < records; i++) {
            if (i == shown.size()) {
                shown.add(wal.get(i));
            } else if (!wal.get(i).equals(shown.get(i))) {
                throw new AssertionError("INV1/2: epoch %d shows %s at record %d, where %s was shown before"
                        .formatted(epoch, wal.get(i), i, shown.get(i)));
            }
        }
    }

    public int shown() {
        return shown.size();
    }

    /** So much of what was shown every later released primary must have. */
    public int owed() {
        return Math.min(owedAtMost, shown.size());
    }

    /** What was lost for good, by C or D. */
    public long lost() {
        return lostRecords;
    }

    /** How much of what was shown is in this WAL as far as it is durable. */
    public int held(List<R> wal, int flushed) {
        int most = Math.min(Math.min(wal.size(), flushed), shown.size());
        for (int n = most; n > 0; n--) {
            if (wal.get(n - 1).equals(shown.get(n - 1))) {
                return n;
            }
        }
        return 0;
    }

    /** Whether WAL that is durable up to there holds all that is owed; equal records have equal pasts. */
    public boolean heldBy(List<R> wal, int flushed) {
        int n = owed();
        return n == 0 || (flushed >= n && wal.size() >= n && wal.get(n - 1).equals(shown.get(n - 1)));
    }

    /** An epoch is given, by C or D, to whoever holds so much of what was shown. */
    public void onMayLack(int held) {
        owedAtMost = Math.min(owedAtMost, held);
    }

    public void onReleased(long epoch, List<R> wal) {
        int owed = owed();
        for (int i = 0; i < owed; i++) {
            if (i >= wal.size() || !wal.get(i).equals(shown.get(i))) {
                throw new AssertionError(
                        "INV1/2: the primary of released epoch %d has %s at record %d, where %s was shown"
                                .formatted(epoch, i < wal.size() ? wal.get(i) : "nothing", i, shown.get(i)));
            }
        }
        for (Lost<R> l : lost) {
            if (l.at < wal.size() && wal.get(l.at).equals(l.first)) {
                throw new AssertionError(
                        "LOST: the primary of released epoch %d has %s at record %d, which was lost before"
                                .formatted(epoch, l.first, l.at));
            }
        }
        int held = held(wal, wal.size());
        if (held < shown.size()) {
            lost.add(new Lost<>(held, shown.get(held)));
            lostRecords += shown.size() - held;
            shown.subList(held, shown.size()).clear();
        }
        owedAtMost = Integer.MAX_VALUE;
    }

    /** Something was shown in an old epoch after a later one was released. */
    public void onShownLate(long epoch, int records, long released, List<R> wal) {
        if (records > wal.size()) {
            throw new AssertionError("INV1/2: epoch %d shows %d records, released epoch %d has %d"
                    .formatted(epoch, records, released, wal.size()));
        }
    }
}
