package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The leader's care for the one election timeout of the cluster: longer at once while ticks come late or answers take
 * long, so that nobody who lives is taken for dead; shorter again, step by step, when a minute went by in which that
 * was not needed. The lease follows, since it is a part of the minimum.
 *
 * <p>Members tell how late their ticks come; how long answers take the leader measures. What is not told any more counts
 * no more: a node that is gone slows nobody down. Owned by the core's thread.
 */
final class ElectionTuner {
    /** The slowest nears a third of the minimum when it is above this many tenths of it. */
    private static final long NEAR_TENTHS = 3;

    /** Raised to so many times the slowest, which leaves room before the next time. */
    private static final long ROOM_TIMES = 4;

    private static final int STEP_MILLIS = 50;
    private static final long FRESH_NANOS = 5_000 * Context.MILLIS;
    private static final long LOOK_NANOS = 200 * Context.MILLIS;
    private static final long AGAIN_NANOS = 2_000 * Context.MILLIS;
    private static final long CALM_NANOS = 60_000 * Context.MILLIS;

    private record Told(long nanos, long at) {}

    private final Context ctx;
    private final Map<NodeId, Told> ticks = new HashMap<>();
    private final Map<NodeId, Told> answers = new HashMap<>();
    private long lookedAt;
    private long proposedAt;
    private long calmSince;

    ElectionTuner(Context ctx) {
        this.ctx = ctx;
    }

    void clear() {
        ticks.clear();
        answers.clear();
        proposedAt = 0;
        calmSince = ctx.now;
    }

    /** What this node has measured. */
    void onPaced(Event.Paced e) {
        ticks.put(ctx.self.node(), new Told(e.tickLateNanos(), ctx.now));
        e.answersNanos().forEach((node, nanos) -> answers.put(node, new Told(nanos, ctx.now)));
    }

    void onPace(NodeId from, CoordMessage.Pace m) {
        ticks.put(from, new Told(m.tickLateNanos(), ctx.now));
    }

    /** Looks at what is, not at what it did: a lost proposal is made again. */
    void onTick() {
        boolean soon = lookedAt != 0 && ctx.now - lookedAt < LOOK_NANOS;
        if (soon || (proposedAt != 0 && ctx.now - proposedAt < AGAIN_NANOS)) {
            return;
        }
        lookedAt = ctx.now;
        Settings settings = ctx.state.settings();
        long slowest = slowestNanos();
        Timers next = next(settings, slowest, ctx.now - calmSince >= CALM_NANOS);
        if (!mayBecomeShorter(settings, slowest)) {
            calmSince = ctx.now;
        }
        if (next == null) {
            return;
        }
        proposedAt = ctx.now;
        calmSince = ctx.now;
        boolean longer = next.electionTimeoutMinMillis() > settings.electionTimeoutMinMillis();
        ctx.tell(
                "raft",
                "%s the election timeout from %d to %d ms: the slowest answer or tick of late took %d ms"
                        .formatted(
                                longer ? "raises" : "lowers",
                                settings.electionTimeoutMinMillis(),
                                next.electionTimeoutMinMillis(),
                                slowest / Context.MILLIS));
        ctx.add(new Action.Propose(new Command.Retime(next)));
    }

    private long slowestNanos() {
        long slowest = 0;
        for (Map<NodeId, Told> told : List.of(ticks, answers)) {
            told.keySet().removeIf(node -> ctx.state.member(node) == null);
            for (Told t : told.values()) {
                slowest = ctx.now - t.at <= FRESH_NANOS ? Math.max(slowest, t.nanos) : slowest;
            }
        }
        return slowest;
    }

    /** What the timers should be, or null when they are well; pure. */
    static @Nullable Timers next(Settings settings, long slowestNanos, boolean calm) {
        Tuning tuning = settings.tuning();
        int now = settings.electionTimeoutMinMillis();
        int wanted = wanted(tuning, slowestNanos);
        int limit = Math.max(tuning.electionLimitMillis(), tuning.electionBaseMinMillis());
        int next = now;
        if (now > limit) {
            next = limit;
        } else if (near(now, slowestNanos)) {
            next = Math.max(now, wanted);
        } else if (calm && mayBecomeShorter(settings, slowestNanos)) {
            next = Math.max(wanted, now / 4 * 3);
        }
        next = Math.max(next, tuning.electionBaseMinMillis());
        return next == now ? null : tuning.timers(settings.heartbeatMillis(), next);
    }

    private static boolean near(int minMillis, long slowestNanos) {
        return slowestNanos * 10 > minMillis * Context.MILLIS * NEAR_TENTHS;
    }

    private static boolean mayBecomeShorter(Settings settings, long slowestNanos) {
        int now = settings.electionTimeoutMinMillis();
        int base = settings.tuning().electionBaseMinMillis();
        int wanted = wanted(settings.tuning(), slowestNanos);
        return now > base && (wanted == base || wanted < now / 5 * 4);
    }

    private static int wanted(Tuning tuning, long slowestNanos) {
        long millis = slowestNanos * ROOM_TIMES / Context.MILLIS;
        long rounded = (millis + STEP_MILLIS - 1) / STEP_MILLIS * STEP_MILLIS;
        return (int) Math.max(tuning.electionBaseMinMillis(), Math.min(rounded, tuning.electionLimitMillis()));
    }
}
