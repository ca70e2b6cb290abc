package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What members last told this node while it leads; reports of removed members and old incarnations are not kept. */
final class Reports {
    private static final long FRESH_NANOS = 400 * Context.MILLIS;

    /** @param by which life of the node was a member when it came: what one said is not the next one's */
    private record Seen(PeerId by, LocalStatus status, long at) {}

    private final Context ctx;
    private final Map<NodeId, Seen> seen = new HashMap<>();
    /** How old the WAL is that each member lacks, by the reports of one epoch. */
    private final Map<NodeId, LagClock> lags = new HashMap<>();

    private long lagsEpoch;
    private long highestPromise;

    Reports(Context ctx) {
        this.ctx = ctx;
    }

    void clear() {
        seen.clear();
        lags.clear();
        highestPromise = 0;
    }

    boolean onReport(NodeId from, CoordMessage.Report report) {
        Member m = ctx.state.member(new PeerId(from, report.incarnation()));
        if (m == null || report.term() != ctx.term) {
            return false;
        }
        keep(from, report.status());
        return true;
    }

    void keep(NodeId from, LocalStatus status) {
        Member m = ctx.state.member(from);
        if (m != null) {
            seen.put(from, new Seen(m.peer(), status, ctx.now));
        }
        measureLag(from, status);
        // Whoever has promised follows nothing below: a voter that the rule names no more would never come back into
        // it.
        boolean acknowledges = ctx.state.inRules(from) || (m != null && m.dataVoter());
        if (acknowledges || from.equals(ctx.state.primary())) {
            highestPromise = Math.max(highestPromise, status.promise());
        }
    }

    private void measureLag(NodeId from, LocalStatus status) {
        if (lagsEpoch != ctx.state.epoch()) {
            lagsEpoch = ctx.state.epoch();
            lags.clear();
        }
        if (status.appliedEpoch() != lagsEpoch) {
            return;
        }
        if (from.equals(ctx.state.primary())) {
            ctx.state.members().keySet().stream()
                    .filter(n -> !n.equals(from))
                    .forEach(n -> lags.computeIfAbsent(n, _ -> new LagClock()).written(status.flushed(), ctx.now));
            return;
        }
        LagClock lag = lags.get(from);
        if (lag != null) {
            lag.flushed(status.flushed());
        }
    }

    /** Whether some WAL that this member lacks is older than a standby may be behind. */
    boolean slow(Member m) {
        LagClock lag = lags.get(m.node());
        long allowed = ctx.millis(ctx.state.settings().tuning().slowAfterMillis());
        return lagsEpoch == ctx.state.epoch() && lag != null && lag.nanos(ctx.now) >= allowed;
    }

    void promiseSeen(long promise) {
        highestPromise = Math.max(highestPromise, promise);
    }

    /** The highest promise that a member which matters was seen to have made. */
    long highestPromise() {
        return highestPromise;
    }

    private @Nullable Seen ofMember(NodeId node) {
        Seen s = seen.get(node);
        return s != null && ctx.state.member(s.by) != null ? s : null;
    }

    /** The last report, when it is recent; else null. */
    @Nullable
    LocalStatus fresh(@Nullable NodeId node) {
        Seen s = node == null ? null : ofMember(node);
        // Where links are slow, reports are too, and as regular as before.
        long fresh = Math.max(FRESH_NANOS, ctx.millis(ctx.state.settings().electionTimeoutMinMillis()));
        return s != null && ctx.now - s.at <= fresh ? s.status : null;
    }

    /** What a member last said, and how long ago that was. */
    record Known(LocalStatus status, long ageNanos) {}

    /** The last report, however old; null when there was none since this node leads. */
    @Nullable
    Known lastKnown(NodeId node) {
        Seen s = ofMember(node);
        return s == null ? null : new Known(s.status, ctx.now - s.at);
    }

    /** The recent one, else what it said when it was probed: a round may last, and who was unfit then be well again. */
    @Nullable
    LocalStatus latest(NodeId node, Map<NodeId, LocalStatus> probed) {
        LocalStatus reported = fresh(node);
        return reported != null ? reported : probed.get(node);
    }

    @Nullable
    LocalStatus freshInEpoch(@Nullable NodeId node) {
        LocalStatus s = fresh(node);
        return s != null && s.appliedEpoch() == ctx.state.epoch() ? s : null;
    }

    /** Whether this member streams from the primary of the current epoch and has all but the last few megabytes. */
    boolean caughtUp(Member m, long withinBytes) {
        LocalStatus s = freshInEpoch(m.node());
        LocalStatus p = freshInEpoch(ctx.state.primary());
        return s != null
                && p != null
                && s.generation() == m.generation()
                && s.streamingEpoch() == ctx.state.epoch()
                && p.flushed().minus(s.flushed()) <= withinBytes
                && !s.flushed().equals(Lsn.NONE);
    }
}
