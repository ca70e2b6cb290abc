package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/** Tells the leader how this node is: every heartbeat, and at once when anything but a position has changed. */
final class Reporter {
    private static final long READS_NANOS = 1_000 * Context.MILLIS;

    private final Context ctx;
    private final ServerSupervisor server;
    private final StandbyDuties standby;
    private final PrimaryDuties primary;
    private @Nullable LocalStatus lastShape;
    private @Nullable NodeId lastLeader;
    private long lastTerm;
    private long lastAt;
    private long readsAt;

    Reporter(Context ctx, ServerSupervisor server, StandbyDuties standby, PrimaryDuties primary) {
        this.ctx = ctx;
        this.server = server;
        this.standby = standby;
        this.primary = primary;
    }

    LocalStatus status() {
        boolean isPrimary = server.state() == ServerState.PRIMARY;
        String fault = ctx.fenced() ? "fenced by an operator" : server.unfit();
        return new LocalStatus(
                ctx.generation,
                ctx.promise,
                ctx.appliedIndex,
                ctx.state.version(),
                ctx.state.epoch(),
                server.state(),
                server.timeline(),
                primary.ran(),
                server.position(),
                standby.replayed(),
                standby.streamingEpoch(),
                isPrimary ? primary.knownFlush() : standby.flushed(),
                fault.isEmpty(),
                fault);
    }

    void report() {
        NodeId leader = ctx.leaderId;
        if (leader == null || ctx.me() == null) {
            return;
        }
        sayWhatIsRead(leader);
        LocalStatus now = status();
        LocalStatus shape = shape(now);
        boolean changed = !shape.equals(lastShape) || !leader.equals(lastLeader) || lastTerm != ctx.term;
        long every = ctx.millis(ctx.state.settings().heartbeatMillis());
        if (changed || ctx.now - lastAt >= every) {
            lastShape = shape;
            lastLeader = leader;
            lastTerm = ctx.term;
            lastAt = ctx.now;
            ctx.send(leader, new CoordMessage.Report(ctx.term, ctx.self.incarnation(), now));
        }
    }

    /** Who reads no more than the cluster is at has nothing to say, and is not taken to read more. */
    private void sayWhatIsRead(NodeId leader) {
        boolean more = ctx.reads > ClusterVersion.of(ctx.state) && !ctx.leader;
        if (more && (readsAt == 0 || ctx.now - readsAt >= READS_NANOS)) {
            readsAt = ctx.now;
            ctx.send(leader, new CoordMessage.Reads(ctx.term, ctx.self.incarnation(), ctx.reads));
        }
    }

    /** What is told at once; what moves all the time is left out. */
    private static LocalStatus shape(LocalStatus s) {
        return new LocalStatus(
                s.generation(),
                s.promise(),
                0,
                s.appliedVersion(),
                s.appliedEpoch(),
                s.server(),
                s.timeline(),
                s.everRan(),
                s.position(),
                Lsn.NONE,
                s.streamingEpoch(),
                Lsn.NONE,
                s.fit(),
                s.reason());
    }
}
