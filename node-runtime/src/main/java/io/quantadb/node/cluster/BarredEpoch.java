package io.quantadb.node.cluster;

import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Notices an epoch that cannot be released, because those who should acknowledge in it ended on another branch and hold
 * data that must not be thrown away before a release. The way out alternates: from one of R back to the last released
 * primary (B), from that to the one of R that is furthest ahead (A). Owned by the core's thread.
 */
final class BarredEpoch {
    /** Longer than the rule's keeper needs to put others into the new half. */
    private static final long AFTER_NANOS = 4_000 * Context.MILLIS;
    /** Up to four and a half hours. */
    private static final int DOUBLINGS_MAX = 12;

    private static final long LONGEST_NANOS = AFTER_NANOS << DOUBLINGS_MAX;

    private final Context ctx;
    private final Reports reports;
    private long versionSeen;
    private long versionSince;
    private long copyEpoch;
    private long copySeen;

    BarredEpoch(Context ctx, Reports reports) {
        this.ctx = ctx;
        this.reports = reports;
    }

    boolean now() {
        ClusterState s = ctx.state;
        if (versionSeen != s.version()) {
            versionSeen = s.version();
            versionSince = ctx.now;
        }
        if (onlyACopyHelps(s)) {
            copyEpoch = s.epoch();
            copySeen = ctx.now;
        }
        // Whoever has its copy has to start, to stream and to come into the rule before it can acknowledge.
        boolean copying = copyEpoch == s.epoch() && ctx.now - copySeen < AFTER_NANOS;
        long waited = ctx.now - versionSince;
        if (s.released() || waited < ctx.rules.barredNanos(s) || (copying && waited < LONGEST_NANOS)) {
            return false;
        }
        return returned() ? s.rule().set().stream().anyMatch(this::diverged) : diverged(releasedPrimary());
    }

    /**
     * Both ways are tried soon, and from then on each for twice as long as the one before: the only member that may follow
     * can have to copy everything first, and a change of primary in the middle of it makes it begin anew. An epoch that ended
     * for another cause was not given its time, and counts for nothing.
     */
    static long patienceNanos(ClusterState s) {
        long tried = s.failovers().stream()
                .filter(move -> move.epoch() > s.releasedEpoch() && Cause.barred(move))
                .count();
        return AFTER_NANOS << Math.clamp(tried - 1, 0, DOUBLINGS_MAX);
    }

    /**
     * Whether whoever would be primary by the other way has nobody to follow it either, while a member copies from the
     * primary of now: that copy would begin anew. A copy that fails says so, and is not waited for.
     */
    private boolean onlyACopyHelps(ClusterState s) {
        int holdData = 0;
        boolean copies = false;
        for (Member m : s.members().values()) {
            LocalStatus st = m.dataVoter() ? reports.freshInEpoch(m.node()) : null;
            if (st == null || m.node().equals(s.primary())) {
                continue;
            }
            if (st.server() == ServerState.EMPTY) {
                copies |= st.fit();
            } else {
                holdData++;
            }
        }
        return copies && holdData <= 1;
    }

    /** Whether the last released primary has the epoch, so that it is R's turn. */
    boolean returned() {
        return Objects.equals(ctx.state.primary(), ctx.state.releasedPrimary());
    }

    private @Nullable MemberRef releasedPrimary() {
        NodeId node = ctx.state.releasedPrimary();
        return node == null ? null : new MemberRef(node, ctx.state.releasedGeneration());
    }

    private boolean diverged(@Nullable MemberRef ref) {
        ClusterState s = ctx.state;
        LocalStatus st = ref == null ? null : reports.freshInEpoch(ref.node());
        Position end = st == null ? null : st.position();
        return ref != null
                && st != null
                && end != null
                && !ref.node().equals(s.primary())
                && st.generation() == ref.generation()
                && !ctx.rules.onBranch(s.history(), s.timeline(), end);
    }
}
