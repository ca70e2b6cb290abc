package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the leader sees that calls for another primary. Owned by the core's thread. */
final class Causes {
    private static final long COLD_START_NANOS = 3_000 * Context.MILLIS;

    private final Context ctx;
    private final Reports reports;
    private final BarredEpoch barred;
    private final Set<NodeId> replaced = new HashSet<>();

    Causes(Context ctx, Reports reports, BarredEpoch barred) {
        this.ctx = ctx;
        this.reports = reports;
        this.barred = barred;
    }

    void clear() {
        replaced.clear();
    }

    /** A new incarnation of that node asks to join: the old one is gone for good. */
    void onReplaced(NodeId node) {
        replaced.add(node);
    }

    /** The first that applies; null when the primary may stay. */
    @Nullable
    Cause now() {
        ClusterState s = ctx.state;
        NodeId primary = s.primary();
        if (primary == null) {
            return null;
        }
        if (s.member(primary) == null || replaced.contains(primary)) {
            return Cause.gone("the primary's disk is gone");
        }
        boolean mayBeStarting = !ctx.everHeard(primary) && ctx.uptimeNanos() < COLD_START_NANOS;
        if (!mayBeStarting
                && ctx.silenceNanos(primary) >= ctx.millis(s.settings().electionTimeoutMinMillis())) {
            return Cause.gone("the primary is silent");
        }
        LocalStatus p = reports.freshInEpoch(primary);
        Cause reported = p == null ? null : reported(s, p);
        if (reported != null) {
            return reported;
        }
        if (reports.highestPromise() > s.epoch()) {
            return new Cause(Cause.Kind.PROMISED, "a member has promised a later epoch");
        }
        return barred.now() ? Cause.barred() : null;
    }

    private static @Nullable Cause reported(ClusterState s, LocalStatus p) {
        if (p.generation() != s.primaryGeneration() || p.server() == ServerState.EMPTY) {
            return Cause.gone("the primary's data is gone");
        }
        if (!p.fit()) {
            boolean lives = s.released() && p.server() == ServerState.PRIMARY;
            return lives ? Cause.unfit(p.reason()) : Cause.gone("the primary cannot serve: " + p.reason());
        }
        Position end = p.position();
        boolean ran = p.everRan() || s.released() || (end != null && end.timeline() == s.timeline());
        if (p.server() != ServerState.DOWN || !ran) {
            return null;
        }
        return p.everRan()
                ? Cause.gone("the primary's PostgreSQL ended")
                : new Cause(Cause.Kind.NOT_STARTED, "the primary's PostgreSQL does not run yet");
    }
}
