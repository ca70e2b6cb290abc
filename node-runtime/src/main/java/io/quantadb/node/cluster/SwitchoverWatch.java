package io.quantadb.node.cluster;

import io.quantadb.node.cluster.SwitchoverReport.Phase;
import org.jspecify.annotations.Nullable;

/**
 * Shows on every member what the leader tells of a switchover. That leader may go away before the end; then the replicated
 * state tells what happened, so that every switchover which was heard of comes to an end everywhere.
 */
final class SwitchoverWatch {
    /** How long the word of a leader that is another by now is waited for. */
    private static final long LAST_WORD_NANOS = 3_000 * Context.MILLIS;
    /** A leader that leads on repeats itself far more often. */
    private static final long SILENT_NANOS = 30_000 * Context.MILLIS;

    private final Context ctx;
    private @Nullable SwitchoverReport last;
    private long term;
    private long heardAt;
    private long overId;

    SwitchoverWatch(Context ctx) {
        this.ctx = ctx;
    }

    void onTold(CoordMessage.SwitchoverTold m) {
        SwitchoverReport told = m.report();
        SwitchoverReport before = last;
        boolean same = before != null && before.id() == told.id();
        boolean late = before != null && same && told.tookMillis() < before.tookMillis();
        boolean stale = !told.over() && (told.id() == overId || m.term() < term);
        if (late || stale) {
            // Overtaken on its way by a later one.
            return;
        }
        if (told.over()) {
            overId = told.id();
            last = same ? null : before;
        } else {
            if (before != null && !same) {
                // The leader begins another only when that one is over; its end was lost on the way.
                ctx.add(new Action.ShowSwitchover(byState(before)));
            }
            heardAt = ctx.now;
            term = m.term();
            last = told;
        }
        ctx.add(new Action.ShowSwitchover(told));
    }

    void reconcile() {
        SwitchoverReport r = last;
        if (r == null) {
            return;
        }
        long silent = ctx.now - heardAt;
        boolean lastWord = ctx.term != term && silent >= LAST_WORD_NANOS && settled(r);
        if (lastWord || silent >= SILENT_NANOS) {
            last = null;
            ctx.add(new Action.ShowSwitchover(byState(r)));
        }
    }

    /** Whether the state tells who serves: nothing was begun in a later epoch, or that is released. */
    private boolean settled(SwitchoverReport r) {
        return ctx.state.epoch() == r.epoch() || ctx.state.released();
    }

    /** What happened, as everybody can see it; how long nothing was written only the leader knew. */
    private SwitchoverReport byState(SwitchoverReport r) {
        ClusterState s = ctx.state;
        boolean moved = s.epoch() != r.epoch() && s.released() && r.to().equals(s.primary());
        return new SwitchoverReport(
                r.id(),
                moved ? Phase.DONE : Phase.ABORTED,
                r.from(),
                r.to(),
                s.epoch(),
                moved
                        ? "the leader went away before it could say more"
                        : "the leader went away; %s is primary".formatted(s.primary()),
                -1,
                r.tookMillis() + (ctx.now - heardAt) / Context.MILLIS,
                r.steps());
    }
}
