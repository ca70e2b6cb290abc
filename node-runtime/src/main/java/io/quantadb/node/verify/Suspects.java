package io.quantadb.node.verify;

import io.quantadb.node.verify.RowDifference.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * Tells real differences between a primary and a standby from those that only the two moments of reading make. Pure.
 *
 * <p>Readings come in pairs, in this order: the primary is read; a position W is taken on it, up to which all that it
 * showed is written; the standby replays W; the standby is read. The first pair gives the suspects: versions that the
 * primary showed and the standby did not (<em>missing</em>), and the other way round (<em>extra</em>). Every further pair
 * clears those that no longer look so:
 * <ol>
 *   <li>A missing version is cleared when the primary shows it no more, or the standby does.
 *   <li>An extra one is cleared when the standby shows it no more, or the primary does.
 * </ol>
 * What is left is proven when the primary is past everything that the standby knew in the first pair, that is, when in a
 * later reading of the primary all transactions below the standby's first {@link Reading#next} have ended
 * ({@link Reading#oldestRunning} of it has reached that):
 * <ul>
 *   <li>Missing: the standby had replayed the version's transaction, so only a deletion that it had replayed too could
 *       excuse it. That transaction has ended on the primary, and the primary still shows the version.
 *   <li>Extra: the version's transaction has ended on the primary, which does not show it, so it was deleted there by
 *       one that has ended before the reading; the standby has replayed that since, and still shows it.
 * </ul>
 * A missing version whose xmax is zero on the primary after the standby was read is proven at once: nobody had even begun
 * to delete it; and with it whatever the standby shows in its place, which has been taken all the while. So a commit that
 * waits for its acknowledgement, which standbys show and the primary does not, is never taken for a difference, and a
 * transaction that never ends leaves a suspect open rather than wrong.
 *
 * @param horizon of the standby's first reading
 */
record Suspects(Set<RowVersion> missing, Set<RowVersion> extra, Set<RowVersion> proven, long horizon) {
    Suspects {
        missing = Set.copyOf(missing);
        extra = Set.copyOf(extra);
        proven = Set.copyOf(proven);
    }

    /** What the first pair leaves in doubt. */
    static Suspects first(Reading primary, Reading standby) {
        Set<RowVersion> missing = new HashSet<>(primary.rows().keySet());
        missing.removeAll(standby.rows().keySet());
        Set<RowVersion> extra = new HashSet<>(standby.rows().keySet());
        extra.removeAll(primary.rows().keySet());
        return new Suspects(missing, extra, Set.of(), standby.next());
    }

    /** What a later pair, read after this one, leaves of it. */
    Suspects next(Reading primary, Reading standby) {
        boolean past = primary.oldestRunning() >= horizon;
        Set<RowVersion> stillMissing = new HashSet<>();
        Set<RowVersion> stillExtra = new HashSet<>();
        Set<RowVersion> certain = new HashSet<>();
        Set<RowPlace> taken = new HashSet<>();
        for (RowVersion row : missing) {
            Boolean untouched = primary.rows().get(row);
            if (untouched != null && !standby.rows().containsKey(row)) {
                stillMissing.add(row);
                if (past || untouched || proven.contains(row)) {
                    certain.add(row);
                    taken.add(row.place());
                }
            }
        }
        for (RowVersion row : extra) {
            if (standby.rows().containsKey(row) && !primary.rows().containsKey(row)) {
                stillExtra.add(row);
                if (past || taken.contains(row.place()) || proven.contains(row)) {
                    certain.add(row);
                }
            }
        }
        return new Suspects(stillMissing, stillExtra, certain, horizon);
    }

    /** Whether nothing is left that may be either. */
    boolean settled() {
        return proven.size() == missing.size() + extra.size();
    }

    /** The proven differences, by place. */
    List<RowDifference> differences() {
        return differences(true);
    }

    /** Those that are neither cleared nor proven, by place. */
    List<RowDifference> open() {
        return differences(false);
    }

    private List<RowDifference> differences(boolean certain) {
        TreeMap<RowPlace, Kind> out = new TreeMap<>();
        for (RowVersion row : missing) {
            if (proven.contains(row) == certain) {
                out.put(row.place(), Kind.MISSING);
            }
        }
        for (RowVersion row : extra) {
            if (proven.contains(row) == certain) {
                out.merge(row.place(), Kind.EXTRA, (here, there) -> Kind.CHANGED);
            }
        }
        List<RowDifference> list = new ArrayList<>();
        out.forEach((place, kind) -> list.add(new RowDifference(place, kind)));
        return list;
    }
}
