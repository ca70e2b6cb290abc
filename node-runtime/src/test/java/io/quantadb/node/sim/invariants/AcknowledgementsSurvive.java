package io.quantadb.node.sim.invariants;

import java.util.ArrayList;
import java.util.List;

/**
 * INV1 and INV2 of protocol.md: what was acknowledged or shown is in the WAL of every later released primary. What a
 * front has shown is always a prefix of one WAL, so there is one list of it, and it only grows.
 */
public final class AcknowledgementsSurvive<R> {
    private final List<R> shown = new ArrayList<>();

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

    /** Whether WAL that is durable up to there holds all that was shown; equal records have equal pasts. */
    public boolean heldBy(List<R> wal, int flushed) {
        int n = shown.size();
        return n == 0 || (flushed >= n && wal.get(n - 1).equals(shown.get(n - 1)));
    }

    public void onReleased(long epoch, List<R> wal) {
        for (int i = 0; i < shown.size(); i++) {
            if (i >= wal.size() || !wal.get(i).equals(shown.get(i))) {
                throw new AssertionError(
                        "INV1/2: the primary of released epoch %d has %s at record %d, where %s was shown"
                                .formatted(epoch, i < wal.size() ? wal.get(i) : "nothing", i, shown.get(i)));
            }
        }
    }

    /** Something was shown in an old epoch after a later one was released. */
    public void onShownLate(long epoch, int records, long released, List<R> wal) {
        if (records > wal.size()) {
            throw new AssertionError("INV1/2: epoch %d shows %d records, released epoch %d has %d"
                    .formatted(epoch, records, released, wal.size()));
        }
    }
}
