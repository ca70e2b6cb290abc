package io.quantadb.node.cluster;

import org.jspecify.annotations.Nullable;

/**
 * Keeps the primary from being moved to and fro: the first move away from a living primary for a cause is made at once,
 * the next for the same cause waits {@link Tuning#moveDelayMillis()}, each further one twice as long. A primary that is
 * gone is none of this class's business. What counts are the recorded moves, which every leader knows; a switchover that
 * somebody asked for ends the count, and so does half an hour without one.
 *
 * <p>Records bear the wall clock of the leader that made them. Nothing worse comes of a clock that is wrong than that a
 * move waits longer or less long: never longer than its delay since this leader has seen the cause, by its own
 * monotonic clock. Owned by the core's thread.
 */
final class MoveBackoff {
    private static final long FORGOTTEN_MILLIS = 30 * 60_000L;

    private final Context ctx;
    private @Nullable String sort;
    private long since;

    MoveBackoff(Context ctx) {
        this.ctx = ctx;
    }

    /** There is no such cause any more. */
    void over() {
        sort = null;
    }

    /** For how long the move still waits, 0 when it may begin. */
    long waitMillis(Cause cause) {
        if (!cause.sort().equals(sort)) {
            sort = cause.sort();
            since = ctx.now;
        }
        int moves = moves(ctx.state, cause.sort(), ctx.wallMillis);
        if (moves == 0) {
            return 0;
        }
        long waited = Math.max(sinceLast(cause.sort()), (ctx.now - since) / Context.MILLIS);
        return Math.max(
                0, ctx.rules.moveDelayMillis(ctx.state.settings().tuning().moveDelayMillis(), moves) - waited);
    }

    /** How many moves for such a cause were made lately. */
    int moves(Cause cause) {
        return moves(ctx.state, cause.sort(), ctx.wallMillis);
    }

    private long sinceLast(String sort) {
        for (FailoverRecord f : ctx.state.failovers().reversed()) {
            if (Cause.sort(f.reason()).equals(sort)) {
                return Math.max(0, ctx.wallMillis - f.whenMillis());
            }
        }
        return Long.MAX_VALUE;
    }

    static long delayMillis(int first, int moves) {
        long delay = first;
        for (int i = 1; i < moves && delay < Tuning.MOVE_DELAY_MAX_MILLIS; i++) {
            delay *= 2;
        }
        return Math.min(delay, Tuning.MOVE_DELAY_MAX_MILLIS);
    }

    static int moves(ClusterState s, String sort, long wallMillis) {
        int moves = 0;
        long next = wallMillis;
        for (FailoverRecord f : s.failovers().reversed()) {
            if (f.planned() || next - f.whenMillis() > FORGOTTEN_MILLIS) {
                break;
            }
            if (Cause.sort(f.reason()).equals(sort)) {
                moves++;
                next = f.whenMillis();
            }
        }
        return moves;
    }
}
