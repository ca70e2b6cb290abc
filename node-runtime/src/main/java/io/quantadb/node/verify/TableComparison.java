package io.quantadb.node.verify;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Compares one table of the primary with that of each standby.
 *
 * <ol>
 *   <li>The table is cut into ranges of blocks. A range is read on the primary, then on each standby once it has replayed
 *       what the primary has flushed. Standbys whose digest agrees are done with it.
 *   <li>A range that does not agree is tried again a few times; then it is cut into pieces, so that as few rows as may be
 *       are looked at one by one.
 *   <li>A piece that does not agree either is settled by {@link Suspects}.
 *   <li>A range that a node cannot read is halved until single blocks are left, so that the rest of it is compared.
 * </ol>
 * No statement reads more than a range, so no snapshot lives long and nothing has to be held still. One thread; used once.
 */
final class TableComparison {
    private static final Duration POLL = Duration.ofMillis(10);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration LAST_PAUSE = Duration.ofSeconds(1);

    private final TableRef table;
    private final Side primary;
    private final List<Side> standbys;
    private final Limits limits;
    private final Pauses time;
    private final Pace pace;

    TableComparison(
            TableRef table, NodeReader primary, List<NodeReader> standbys, Limits limits, Pauses time, Pace pace) {
        this.table = table;
        this.primary = new Side(primary, limits, time);
        this.standbys =
                standbys.stream().map(reader -> new Side(reader, limits, time)).toList();
        this.limits = limits;
        this.time = time;
        this.pace = pace;
    }

    /**
     * Compares.
     *
     * @param progress hears how many bytes of the table are done
     * @param lost is told the standbys that cannot go on with any table, and why
     * @throws ReadFailure.Lost when the primary's session ends
     */
    TableResult compare(String database, LongConsumer progress, Map<NodeId, String> lost) {
        Digest total = Digest.NONE;
        long each = Math.max(1, limits.chunkBytes() / table.blockBytes());
        try {
            for (BlockRange range : BlockRange.covering(table.blocks(), each)) {
                total = total.plus(compare(range, standbys, lost));
                progress.accept(Math.min(table.bytes(), range.to() * table.blockBytes()));
            }
        } catch (ReadFailure.Gone e) {
            return TableResult.notCompared(database, table, "it was dropped or renamed meanwhile");
        } catch (ReadFailure.Passing | ReadFailure.Refused | ReadFailure.Damaged e) {
            // Of the primary: without it there is nothing to compare with.
            primary.giveUp(e.words());
        }
        Map<NodeId, NodeResult> nodes = new LinkedHashMap<>();
        nodes.put(primary.node(), primary.result());
        standbys.stream()
                .filter(side -> !lost.containsKey(side.node())
                        || !side.result().findings().isEmpty())
                .forEach(side -> nodes.put(side.node(), side.result()));
        return new TableResult(database, table, total.rows(), total.sum(), nodes, "");
    }

    /** Compares one range; returns what the primary has of it. */
    private Digest compare(BlockRange range, List<Side> among, Map<NodeId, String> lost) {
        List<Side> unlike = among;
        Digest own = Digest.NONE;
        for (int attempt = 1; attempt <= limits.tries(); attempt++) {
            try {
                own = primary.digest(table, range);
            } catch (ReadFailure.Damaged e) {
                return halved(range, primary, e, among, lost);
            }
            unlike = disagreeing(range, own, unlike, lost);
            pace.took(Math.max(range.blocks() * table.blockBytes(), own.octets()));
            if (unlike.isEmpty()) {
                return own;
            }
        }
        if (range.blocks() > limits.narrowBlocks()) {
            for (BlockRange piece : range.cut(limits.narrowBlocks())) {
                var _ = compare(piece, unlike, lost);
            }
        } else {
            for (Side standby : unlike) {
                on(standby, range, lost, () -> settle(range, standby));
            }
        }
        return own;
    }

    /** Reads the range on these standbys; returns those whose digest is another one. */
    private List<Side> disagreeing(BlockRange range, Digest own, List<Side> among, Map<NodeId, String> lost) {
        List<Side> out = new ArrayList<>();
        Lsn flushed = primary.reader().flushed();
        for (Side standby : among) {
            if (standby.over()) {
                continue;
            }
            on(standby, range, lost, () -> {
                awaitReplay(standby, flushed);
                try {
                    if (!standby.digest(table, range).agrees(own)) {
                        out.add(standby);
                    }
                } catch (ReadFailure.Damaged e) {
                    var _ = halved(range, standby, e, List.of(standby), lost);
                }
            });
        }
        return out;
    }

    /** A range that a node cannot read: its halves are compared, down to the block that is at fault. */
    private Digest halved(
            BlockRange range, Side node, ReadFailure.Damaged why, List<Side> among, Map<NodeId, String> lost) {
        if (range.blocks() == 1) {
            node.found(new Finding.Unreadable(range, why.words()));
            return Digest.NONE;
        }
        Digest sum = Digest.NONE;
        for (BlockRange half : range.cut((range.blocks() + 1) / 2)) {
            sum = sum.plus(compare(half, among, lost));
        }
        return sum;
    }

    /** Reads row by row, on both in turn, until every version in doubt is cleared or proven, or the time is over. */
    private void settle(BlockRange range, Side standby) {
        long end = time.nanos() + limits.doubt().toNanos();
        Duration pause = FIRST_PAUSE;
        Reading own = primary.rows(table, range);
        Lsn at = awaitAll(standby);
        Suspects suspects = Suspects.first(own, standby.rows(table, range));
        while (!suspects.settled() && time.nanos() < end) {
            time.sleep(pause);
            pause = pause.multipliedBy(2).compareTo(LAST_PAUSE) < 0 ? pause.multipliedBy(2) : LAST_PAUSE;
            own = primary.rows(table, range);
            at = awaitAll(standby);
            suspects = suspects.next(own, standby.rows(table, range));
        }
        if (!suspects.differences().isEmpty()) {
            standby.found(new Finding.Rows(range, suspects.differences(), at));
        }
        if (!suspects.settled()) {
            standby.leaveOpen(
                    "%s: %d rows look different and could not be proven to be within %d s, because a transaction that had begun before still runs or is prepared on the primary"
                            .formatted(
                                    range,
                                    suspects.open().size(),
                                    limits.doubt().toSeconds()));
        }
    }

    /** Waits until the standby has replayed all that the primary has shown so far; returns a position that it has. */
    private Lsn awaitAll(Side standby) {
        Lsn written = primary.reader().written();
        long since = time.nanos();
        while (true) {
            // What is written and not flushed after that time is nothing that anybody committed.
            boolean flushedAll =
                    time.nanos() - since > primary.reader().flushDelay().toNanos();
            Lsn flushed = primary.reader().flushed();
            Lsn replayed = standby.reader().replayed();
            if (replayed.atLeast(written) || (flushedAll && replayed.atLeast(flushed))) {
                return replayed;
            }
            requirePatience(standby, since, written, replayed);
            time.sleep(POLL);
        }
    }

    private void awaitReplay(Side standby, Lsn position) {
        long since = time.nanos();
        NodeReader reader = standby.reader();
        for (Lsn replayed = reader.replayed(); !replayed.atLeast(position); replayed = reader.replayed()) {
            requirePatience(standby, since, position, replayed);
            time.sleep(POLL);
        }
    }

    private void requirePatience(Side standby, long since, Lsn wanted, Lsn replayed) {
        if (time.nanos() - since > limits.behind().toNanos()) {
            throw new ReadFailure.Behind(
                    standby.node(),
                    "it has replayed %s and not %s after %d s; is its replay paused?"
                            .formatted(replayed, wanted, limits.behind().toSeconds()));
        }
    }

    /** Does something on a standby; what goes wrong there stops nobody else, what goes wrong on the primary does. */
    private void on(Side standby, BlockRange range, Map<NodeId, String> lost, Runnable work) {
        try {
            work.run();
        } catch (ReadFailure e) {
            if (!e.node().equals(standby.node())) {
                throw e;
            }
            switch (e) {
                case ReadFailure.Behind behind -> leaveOut(standby, behind, lost);
                case ReadFailure.Lost gone -> leaveOut(standby, gone, lost);
                case ReadFailure.Gone gone -> {
                    // A drop that the standby has replayed has ended on the primary before that lets us read again.
                    var _ = primary.digest(table, range);
                    standby.found(new Finding.Unreadable(range, gone.words()));
                    standby.giveUp("the standby does not know the table");
                }
                case ReadFailure.Refused refused -> standby.giveUp(refused.words());
                case ReadFailure.Damaged damaged -> standby.found(new Finding.Unreadable(range, damaged.words()));
                case ReadFailure.Passing passing -> standby.leaveOpen("%s: %s".formatted(range, passing.words()));
            }
        }
    }

    private static void leaveOut(Side standby, ReadFailure why, Map<NodeId, String> lost) {
        standby.giveUp(why.words());
        lost.put(standby.node(), why.words());
    }
}
