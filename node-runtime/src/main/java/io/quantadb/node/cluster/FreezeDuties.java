package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * This node's part of a freeze, one step after the other: the promise on disk, streams of lower epochs closed and
 * flushed, the end of the WAL read, the answer. Asked again, it answers again, for the leader that asks.
 */
final class FreezeDuties {
    private static final long AGAIN_NANOS = 1_000 * Context.MILLIS;

    private enum Step {
        NONE,
        PERSISTING,
        CLOSING,
        READING
    }

    private final Context ctx;
    private final ServerSupervisor server;
    private final StandbyDuties standby;
    private Step step = Step.NONE;
    private long epoch;
    private long askedTerm;
    private @Nullable NodeId askedBy;
    private long beganAt;

    FreezeDuties(Context ctx, ServerSupervisor server, StandbyDuties standby) {
        this.ctx = ctx;
        this.server = server;
        this.standby = standby;
    }

    void onFreeze(NodeId from, CoordMessage.Freeze freeze) {
        if (freeze.term() < ctx.term || freeze.epoch() < ctx.promise || freeze.epoch() <= ctx.state.epoch()) {
            return;
        }
        askedBy = from;
        askedTerm = freeze.term();
        if (freeze.epoch() > epoch || step == Step.NONE) {
            epoch = Math.max(epoch, freeze.epoch());
            begin();
        } else if (step == Step.READING) {
            read();
        } else if (ctx.now - beganAt >= AGAIN_NANOS) {
            // What was to tell that it is done has told nothing: all of it may be done twice.
            begin();
        }
    }

    private void begin() {
        beganAt = ctx.now;
        if (epoch > ctx.promise) {
            step = Step.PERSISTING;
            ctx.add(new Action.PersistPromise(epoch));
        } else {
            close();
        }
    }

    void onPromisePersisted(long promised) {
        ctx.promise = Math.max(ctx.promise, promised);
        if (step == Step.PERSISTING && ctx.promise >= epoch) {
            ctx.tell("failover", "promised never again to relay for an epoch below " + epoch);
            close();
        }
    }

    private void close() {
        if (standby.closedBelow() >= epoch) {
            read();
        } else {
            step = Step.CLOSING;
            ctx.add(new Action.CloseStreamsBelow(epoch));
        }
    }

    void onStreamsClosed() {
        if (step == Step.CLOSING && standby.closedBelow() >= epoch) {
            read();
        }
    }

    private void read() {
        step = Step.READING;
        if (server.state() == ServerState.EMPTY || server.position() != null) {
            onPosition();
        } else {
            server.needPosition();
        }
    }

    /** The end of the WAL is known, or it is known that it cannot be told. */
    void onPosition() {
        NodeId to = askedBy;
        if (step != Step.READING || to == null) {
            return;
        }
        step = Step.NONE;
        Position position = server.state() == ServerState.EMPTY ? null : server.position();
        ctx.send(to, new CoordMessage.FreezeReply(askedTerm, epoch, ctx.generation, position, standby.replayed()));
    }

    Lsn replayed() {
        return standby.replayed();
    }
}
