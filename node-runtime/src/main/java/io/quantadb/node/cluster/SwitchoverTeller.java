package io.quantadb.node.cluster;

import io.quantadb.node.cluster.SwitchoverReport.Phase;
import io.quantadb.node.common.NodeId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Tells every member where the leader's switchover stands, again and again while it lasts, and remembers the last few for
 * who asks for the same once more.
 */
final class SwitchoverTeller {
    private static final int KEPT_MAX = 8;
    private static final long REPEAT_NANOS = 500 * Context.MILLIS;

    // ---- the steps, by their names

    /** From the request until all is ready: the checkpoint ahead, the heir close. Clients are served. */
    static final String PREPARE = "prepare";
    /** From the hold, until nothing is under way any more and the heir has answered. */
    static final String HOLD = "hold";
    /** Until the old primary's server is down, its shutdown's checkpoint written and confirmed by the heir. */
    static final String STOP = "stop";
    /** Until both have promised on disk, and the promotion is proposed. */
    static final String FREEZE = "freeze";
    /** Until it is committed. */
    static final String COMMIT = "commit";
    /** Until the heir's server is out of recovery. */
    static final String PROMOTE = "promote";
    /** Until the first of the others streams from it. */
    static final String RE_POINT = "re-point";
    /** Until enough have flushed the first record of the epoch, and its release is committed. */
    static final String RELEASE = "release";
    /** Until the heir's front is open. */
    static final String OPEN = "open";

    private final Context ctx;
    private final Deque<SwitchoverReport> kept = new ArrayDeque<>();
    private @Nullable SwitchoverReport last;
    private long toldAt;
    private long beganAt;
    private long heldAt;
    private long gapMillis;
    private boolean holding;
    private long markedAt;
    private final List<SwitchoverReport.Step> steps = new ArrayList<>();

    SwitchoverTeller(Context ctx) {
        this.ctx = ctx;
    }

    void forget() {
        kept.clear();
        last = null;
    }

    /** Who was to be primary by this request, if it was begun before; then what became of it is said again. */
    @Nullable
    NodeId again(long id) {
        SwitchoverReport current = last;
        if (current != null && current.id() == id) {
            send(with(current, current.phase(), current.epoch(), current.words()));
            return current.to();
        }
        for (SwitchoverReport r : kept) {
            if (r.id() == id) {
                send(r);
                return r.to();
            }
        }
        return null;
    }

    /** Who lost a message hears the next; who hears none for long looks at the state. */
    void repeat() {
        SwitchoverReport current = last;
        if (current != null && ctx.now - toldAt >= REPEAT_NANOS) {
            send(with(current, current.phase(), current.epoch(), current.words()));
        }
    }

    void begin(SwitchoverRequest request, NodeId from, NodeId to) {
        beganAt = ctx.now;
        markedAt = ctx.now;
        steps.clear();
        gapMillis = -1;
        holding = false;
        last = new SwitchoverReport(request.id(), Phase.PREPARING, from, to, request.epoch(), "", -1, 0);
    }

    void tell(Phase phase, String words) {
        SwitchoverReport before = last;
        if (before != null) {
            SwitchoverReport next = with(before, phase, before.epoch(), words);
            last = next;
            send(next);
        }
    }

    void end(Phase phase, long epoch, String words) {
        SwitchoverReport before = last;
        if (before != null) {
            holding = false;
            last = null;
            keep(with(before, phase, epoch, words));
        }
    }

    /** This step is over now; said again, it was over before. */
    void over(String step) {
        if (steps.stream().noneMatch(s -> s.name().equals(step))) {
            steps.add(new SwitchoverReport.Step(step, (ctx.now - markedAt) / Context.MILLIS));
            markedAt = ctx.now;
        }
    }

    /** What members tell of the way to the release, as far as that is not over. */
    void onReports(NodeId heir, Reports reports) {
        ClusterState s = ctx.state;
        LocalStatus heirs = reports.freshInEpoch(heir);
        if (s.released() || heirs == null || heirs.server() != ServerState.PRIMARY) {
            return;
        }
        over(PROMOTE);
        boolean followed = s.dataVoters().stream()
                .map(m -> reports.freshInEpoch(m.node()))
                .anyMatch(st -> st != null && st.streamingEpoch() == s.epoch());
        if (followed) {
            over(RE_POINT);
        }
    }

    /** For people: {@code prepare 41, hold 11, ... ms}. */
    String stepsInWords() {
        return steps.stream().map(s -> s.name() + " " + s.millis()).collect(Collectors.joining(", ")) + " ms";
    }

    long tookMillis() {
        return (ctx.now - beganAt) / Context.MILLIS;
    }

    /** From now on transactions are held back, or will be in a moment. */
    void holds() {
        heldAt = ctx.now;
        holding = true;
    }

    /** They have been for so long, by the primary's word. */
    void held(long millis) {
        heldAt = Math.max(heldAt, ctx.now - millis * Context.MILLIS);
    }

    /** They are no more. */
    void measured() {
        if (holding) {
            gapMillis = (ctx.now - heldAt) / Context.MILLIS;
        }
    }

    private SwitchoverReport with(SwitchoverReport r, Phase phase, long epoch, String words) {
        long gap = holding && gapMillis < 0 ? (ctx.now - heldAt) / Context.MILLIS : gapMillis;
        return new SwitchoverReport(r.id(), phase, r.from(), r.to(), epoch, words, gap, tookMillis(), steps);
    }

    private void keep(SwitchoverReport r) {
        kept.addLast(r);
        if (kept.size() > KEPT_MAX) {
            kept.removeFirst();
        }
        send(r);
    }

    private void send(SwitchoverReport r) {
        toldAt = ctx.now;
        ctx.state.members().keySet().forEach(node -> ctx.send(node, new CoordMessage.SwitchoverTold(ctx.term, r)));
    }
}
