package io.quantadb.node.verify;

import io.quantadb.node.verify.RowDifference.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A table of a primary and of one standby under random writes, as far as visibility goes: transactions begin, mark rows,
 * write their commit, and become visible on the primary only when they are acknowledged, which may be long after the
 * standby shows them. The standby may have rows that are wrong. One seed decides everything.
 */
final class ReplicaModel {
    private static final int PLACES = 12;
    /** Places that no transaction of the load touches. */
    private static final int STILL = 3;

    private enum Stage {
        RUNNING,
        /** Its commit is in the WAL and not acknowledged. */
        WRITTEN,
        ENDED,
        ABORTED
    }

    private static final class Transaction {
        private final long id;
        private Stage stage = Stage.RUNNING;
        private int walIndex = Integer.MAX_VALUE;

        Transaction(long id) {
            this.id = id;
        }
    }

    private static final class Version {
        private final RowVersion row;
        private final Transaction writer;
        private Transaction ender;
        private boolean touched;

        Version(RowVersion row, Transaction writer) {
            this.row = row;
            this.writer = writer;
        }
    }

    private final Random random;
    private final List<Transaction> transactions = new ArrayList<>();
    private final List<Version> versions = new ArrayList<>();
    private final Set<RowVersion> hidden = new HashSet<>();
    private final Set<RowVersion> forged = new HashSet<>();
    private long nextId = 100;
    private int walEnd;
    private int replayed;

    ReplicaModel(long seed) {
        random = new Random(seed);
        Transaction first = begin();
        for (int place = 0; place < PLACES + STILL; place++) {
            versions.add(new Version(row(place, first), first));
        }
        write(first);
        first.stage = Stage.ENDED;
        churn(40);
    }

    private Transaction begin() {
        Transaction made = new Transaction(nextId++);
        transactions.add(made);
        return made;
    }

    private RowVersion row(int place, Transaction writer) {
        return new RowVersion(place / 4, place % 4 + 1, writer.id, random.nextLong());
    }

    private void write(Transaction transaction) {
        transaction.stage = Stage.WRITTEN;
        transaction.walIndex = ++walEnd;
    }

    private void churn(int steps) {
        for (int i = 0; i < steps; i++) {
            step();
        }
    }

    private void step() {
        List<Transaction> running =
                transactions.stream().filter(t -> t.stage == Stage.RUNNING).toList();
        List<Transaction> written =
                transactions.stream().filter(t -> t.stage == Stage.WRITTEN).toList();
        switch (random.nextInt(6)) {
            case 0 -> touch(running.isEmpty() || random.nextInt(3) == 0 ? begin() : any(running));
            case 1, 2 -> touch(begin());
            case 3 -> {
                if (!running.isEmpty()) {
                    Transaction one = any(running);
                    if (random.nextInt(5) == 0) {
                        one.stage = Stage.ABORTED;
                    } else {
                        write(one);
                    }
                }
            }
            case 4 -> {
                if (!written.isEmpty()) {
                    any(written).stage = Stage.ENDED;
                }
            }
            default -> replayed = Math.min(walEnd, replayed + random.nextInt(3));
        }
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    /** Deletes, replaces, locks or inserts a row, where nobody else is at it. */
    private void touch(Transaction by) {
        int place = random.nextInt(PLACES);
        Version there = occupant(place);
        if (there == null) {
            versions.add(new Version(row(place, by), by));
            return;
        }
        boolean mine = there.writer == by;
        boolean free = there.ender == null || there.ender.stage == Stage.ABORTED;
        if ((there.writer.stage != Stage.ENDED && !mine) || !free) {
            return;
        }
        there.touched = true;
        if (random.nextInt(4) > 0) {
            there.ender = by;
        }
    }

    /** What lies at a place and may still matter to a snapshot on the primary; a dead row's place is taken again. */
    private Version occupant(int place) {
        RowPlace at = new RowPlace(place / 4, place % 4 + 1);
        return versions.stream()
                .filter(v -> v.row.place().equals(at))
                .filter(v -> v.writer.stage != Stage.ABORTED)
                .filter(v -> v.ender == null || v.ender.stage != Stage.ENDED)
                .findFirst()
                .orElse(null);
    }

    private Reading primary() {
        Map<RowVersion, Boolean> rows = new HashMap<>();
        for (Version v : versions) {
            if (v.writer.stage == Stage.ENDED && (v.ender == null || v.ender.stage != Stage.ENDED)) {
                rows.put(v.row, !v.touched);
            }
        }
        long oldest = transactions.stream()
                .filter(t -> t.stage == Stage.RUNNING || t.stage == Stage.WRITTEN)
                .mapToLong(t -> t.id)
                .min()
                .orElse(nextId);
        return new Reading(rows, oldest, nextId);
    }

    private Reading standby() {
        Map<RowVersion, Boolean> rows = new HashMap<>();
        for (Version v : versions) {
            if (v.writer.walIndex <= replayed && (v.ender == null || v.ender.walIndex > replayed)) {
                rows.put(v.row, true);
            }
        }
        for (RowVersion wrong : forged) {
            rows.put(wrong, true);
        }
        hidden.forEach(rows::remove);
        long next = transactions.stream()
                .filter(t -> t.walIndex <= replayed)
                .mapToLong(t -> t.id + 1)
                .max()
                .orElse(0);
        return new Reading(rows, 0, next);
    }

    /** Makes the standby wrong in three ways, at places that nobody writes to. */
    Map<RowPlace, Kind> corrupt() {
        Map<RowPlace, Kind> out = new HashMap<>();
        List<RowVersion> still = versions.stream()
                .map(v -> v.row)
                .filter(row -> row.block() * 4 + row.item() - 1 >= PLACES)
                .toList();
        hidden.add(still.get(0));
        out.put(still.get(0).place(), Kind.MISSING);
        RowVersion right = still.get(1);
        hidden.add(right);
        forged.add(new RowVersion(right.block(), right.item(), right.xmin(), right.hash() + 1));
        out.put(right.place(), Kind.CHANGED);
        RowVersion extra = new RowVersion(99, 1, 100, 5);
        forged.add(extra);
        out.put(extra.place(), Kind.EXTRA);
        return out;
    }

    Suspects firstPair() {
        Reading own = primary();
        return Suspects.first(own, standbyAfter());
    }

    Suspects nextPair(Suspects suspects) {
        churn(random.nextInt(8));
        Reading own = primary();
        return suspects.next(own, standbyAfter());
    }

    /** The standby once it has replayed all that was written by now, and perhaps more. */
    private Reading standbyAfter() {
        int written = walEnd;
        churn(random.nextInt(8));
        replayed = Math.max(replayed, written);
        return standby();
    }

    /** Ends all that runs, as a cluster comes to rest. */
    void quiesce() {
        for (Transaction t : transactions) {
            if (t.stage == Stage.RUNNING) {
                write(t);
            }
            if (t.stage == Stage.WRITTEN) {
                t.stage = Stage.ENDED;
            }
        }
        replayed = walEnd;
    }
}
