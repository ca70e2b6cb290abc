package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * How old the oldest WAL is that a member has not flushed. What the server writes within {@value #APART_MS} ms is noted as
 * one piece that is as old as its beginning, so the lag is right to that; where a member is far behind, pieces are put
 * together and it is right to a small part of itself. Bounded. One owner.
 */
public final class LagClock {
    private static final long APART_MS = 20;
    private static final int PIECES_MAX = 256;

    private record Piece(Lsn end, long sinceNanos) {}

    private final Deque<Piece> pieces = new ArrayDeque<>();
    private Lsn last = Lsn.NONE;
    private long apartNanos = APART_MS * 1_000_000;

    /** The server has WAL up to here. */
    public void written(Lsn end, long nowNanos) {
        if (end.compareTo(last) <= 0) {
            return;
        }
        last = end;
        Piece newest = pieces.peekLast();
        if (newest != null && nowNanos - newest.sinceNanos() < apartNanos) {
            pieces.removeLast();
            pieces.addLast(new Piece(end, newest.sinceNanos()));
            return;
        }
        pieces.addLast(new Piece(end, nowNanos));
        if (pieces.size() > PIECES_MAX) {
            putTogether();
        }
    }

    /** Two and two, each pair as old as the older. */
    private void putTogether() {
        Deque<Piece> fewer = new ArrayDeque<>();
        while (!pieces.isEmpty()) {
            Piece older = pieces.removeFirst();
            Piece newer = pieces.isEmpty() ? older : pieces.removeFirst();
            fewer.addLast(new Piece(newer.end(), older.sinceNanos()));
        }
        pieces.addAll(fewer);
        apartNanos *= 2;
    }

    /** The member has flushed up to here. */
    public void flushed(Lsn upTo) {
        while (!pieces.isEmpty() && pieces.getFirst().end().compareTo(upTo) <= 0) {
            pieces.removeFirst();
        }
        if (pieces.isEmpty()) {
            apartNanos = APART_MS * 1_000_000;
        }
    }

    /** 0 while the member has all. */
    public long nanos(long nowNanos) {
        return pieces.isEmpty() ? 0 : Math.max(0, nowNanos - pieces.getFirst().sinceNanos());
    }
}
