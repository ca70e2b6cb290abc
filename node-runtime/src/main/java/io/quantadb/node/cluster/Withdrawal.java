package io.quantadb.node.cluster;

import org.jspecify.annotations.Nullable;

/**
 * What a primary does that serves nothing though nobody has replaced it:
 *
 * <ul>
 *   <li>fenced by force, it stops its server, its WAL sent to who still follows;
 *   <li>without a leader for long, where the settings let it serve reads, it stops its server on the spot, as a crash would,
 *       so that nothing is written beyond what others may have, and starts it as a standby that follows nobody: PostgreSQL
 *       itself refuses writes then. Once a leader is known all goes its ordinary way.
 * </ul>
 */
final class Withdrawal {
    /** Much longer than an election takes. */
    static final long ALONE_NANOS = 3_000 * Context.MILLIS;

    private final Context ctx;
    private final ServerSupervisor server;

    Withdrawal(Context ctx, ServerSupervisor server) {
        this.ctx = ctx;
        this.server = server;
    }

    /** Why it serves nothing; null when it may. */
    @Nullable
    String reason() {
        return ctx.fenced() ? "fenced by an operator" : readsAlone() ? "no leader is in reach" : null;
    }

    /** Only of a released epoch that it has not promised to leave: what is on disk of another was shown to nobody. */
    private boolean readsAlone() {
        boolean alone = ctx.leaderlessSince != 0 && ctx.now - ctx.leaderlessSince >= ALONE_NANOS;
        return alone
                && ctx.state.settings().minorityReads() == Settings.MinorityReads.ALL
                && ctx.state.released()
                && ctx.promise <= ctx.state.epoch();
    }

    void step() {
        if (ctx.fenced()) {
            server.stopFenced(true);
        } else if (server.state() == ServerState.PRIMARY && server.stop(true)) {
            ctx.tell("cluster", "has no leader in reach: stops its server, to show its data read-only");
        } else if (server.state() == ServerState.DOWN && server.idle()) {
            server.startStandby();
        }
    }
}
