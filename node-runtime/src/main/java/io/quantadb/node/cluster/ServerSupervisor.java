package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * What this node's server is doing, and one operation upon it at a time. Also keeps the sure end of the WAL, which is
 * known only between a reading of it and the next thing that may make it grow.
 */
final class ServerSupervisor {
    private static final long RETRY_NANOS = 1_000 * Context.MILLIS;
    /** A standby that ends sooner than this after its start has not come up. */
    private static final long STEADY_NANOS = 2_000 * Context.MILLIS;

    private static final int QUICK_STARTS = 3;
    /** After the first failures; whoever waits for this node to acknowledge waits for its next try. */
    private static final long QUICK_RETRY_NANOS = 50 * Context.MILLIS;
    /** For so long a failure speaks against a node whose server is down; then only another try can tell. */
    private static final long FAULT_NANOS = 5_000 * Context.MILLIS;
    /**
     * For so long the first one does in an unreleased epoch, and twice as long each after it. Another that holds as much
     * is chosen before it in any case; where nobody does, whoever writes waits for this node.
     */
    private static final long FIRST_FAULT_NANOS = 100 * Context.MILLIS;

    /** What failed so long ago is another matter. */
    private static final long FORGOTTEN_NANOS = 30_000 * Context.MILLIS;

    private static final long READ_DEADLINE_NANOS = 5_000 * Context.MILLIS;
    private static final long OPERATION_DEADLINE_NANOS = 120_000 * Context.MILLIS;

    private enum Operation {
        NONE,
        STARTING_STANDBY,
        STARTING_PRIMARY,
        STOPPING,
        PROMOTING,
        CLONING,
        REWINDING
    }

    private final Context ctx;
    private ServerState state;
    private int timeline;
    private Operation operation = Operation.NONE;
    private long operationDeadline;
    private long notBefore;
    private long standbySince;
    private int quickEnds;
    private long failedAt;
    private int failures;
    private @Nullable Position position;
    private long readId;
    private long readDeadline;
    private int unsure;
    private String fault = "";
    private long faultSince;
    private long faultEpoch;
    private int faults;
    /** What is wrong with this node's disk, empty when it answers. */
    private String disk = "";
    /** What its agent says of a server that runs and does not answer, empty when it does. */
    private String silence = "";

    ServerSupervisor(Context ctx, ServerState state, @Nullable Position position) {
        this.ctx = ctx;
        this.state = state;
        this.position = position;
    }

    ServerState state() {
        return state;
    }

    int timeline() {
        return timeline;
    }

    @Nullable
    Position position() {
        return position;
    }

    /** How often in a row the end of the WAL could not be told. */
    int unsure() {
        return unsure;
    }

    /**
     * Why this node should not be primary now; empty when it may. A failure is forgotten after a while where the server is
     * down: it may be that it is not started here before it is to be primary again, since its data lies on another branch
     * and is needed, and nobody else holds what was acknowledged last.
     */
    String fault() {
        boolean over = state == ServerState.DOWN && ctx.now - faultSince >= faultNanos();
        return over ? "" : fault;
    }

    private long faultNanos() {
        long doubled = FIRST_FAULT_NANOS << Math.min(Math.max(faults - 1, 0), 10);
        return ctx.state.released() ? FAULT_NANOS : Math.min(FAULT_NANOS, ctx.stretched(doubled));
    }

    /**
     * Why this node is unhealthy, its disk first; empty when it is well. A server that does not answer counts against a
     * primary alone: a standby's may wait for a lock that it replays, and may be the last that could take over.
     */
    String unfit() {
        if (!disk.isEmpty()) {
            return disk;
        }
        return state == ServerState.PRIMARY && !silence.isEmpty() ? silence : fault();
    }

    void onDisk(String trouble) {
        disk = trouble;
    }

    void onHealth(String trouble) {
        silence = trouble;
    }

    void fault(String why) {
        fault = why;
        faultSince = ctx.now;
        faultEpoch = ctx.state.epoch();
    }

    boolean idle() {
        if (operation != Operation.NONE && ctx.now > operationDeadline) {
            operation = Operation.NONE;
        }
        return operation == Operation.NONE && ctx.now >= notBefore;
    }

    // ---- operations

    void startStandby() {
        standbySince = ctx.now;
        begin(Operation.STARTING_STANDBY, new Action.StartStandby());
    }

    void startPrimary() {
        walMayGrow();
        begin(Operation.STARTING_PRIMARY, new Action.StartPrimary());
    }

    /** At any time, an operation under way included; false when it is being stopped already. */
    boolean stop(boolean immediate) {
        if (operation == Operation.STOPPING && ctx.now <= operationDeadline) {
            return false;
        }
        begin(Operation.STOPPING, new Action.StopServer(immediate));
        return true;
    }

    /**
     * Stops it, whatever it is doing, and starts nothing.
     *
     * @param inOrder so that its data lie still as they are; not where a record could be written beyond the fork
     */
    void stopFenced(boolean inOrder) {
        boolean runs = state != ServerState.DOWN && state != ServerState.EMPTY;
        if (runs && ctx.now >= notBefore && stop(!inOrder)) {
            ctx.tell("cluster", "stops its server: it is fenced by an operator");
        }
    }

    void promote(long epoch, int toTimeline) {
        walMayGrow();
        state = ServerState.PROMOTING;
        begin(Operation.PROMOTING, new Action.PromoteServer(epoch, toTimeline));
    }

    void cloneFrom(NodeId from, long epoch, long generation, boolean distrusted) {
        walMayGrow();
        if (epoch != faultEpoch) {
            // What failed with the primary of an earlier epoch says nothing of this one.
            fault = "";
        }
        unsure = 0;
        state = ServerState.EMPTY;
        begin(Operation.CLONING, new Action.Clone(from, epoch, generation, distrusted));
        operationDeadline = Long.MAX_VALUE;
    }

    /** The server must be down and its end known. Until that is done there is no data that may be used. */
    void rewindTo(NodeId source, long epoch, long generation, Position end, Lsn fork) {
        walMayGrow();
        unsure = 0;
        state = ServerState.EMPTY;
        begin(Operation.REWINDING, new Action.Rewind(source, epoch, generation, end, fork));
        operationDeadline = Long.MAX_VALUE;
    }

    /**
     * Asks for the end of the WAL unless it is known or asked for already. There is no sure end while the server writes,
     * and none while it is being promoted: it writes the first record of its timeline at a moment of its own choice.
     */
    void needPosition() {
        boolean writes = state == ServerState.PRIMARY || state == ServerState.PROMOTING;
        if (!writes && position == null && ctx.now >= readDeadline) {
            readId++;
            readDeadline = ctx.now + READ_DEADLINE_NANOS;
            ctx.add(new Action.ReadPosition(readId));
        }
    }

    /** From here on what was read is not the end any more. */
    void walMayGrow() {
        position = null;
        readDeadline = 0;
        readId++;
    }

    private void begin(Operation next, Action action) {
        operation = next;
        operationDeadline = ctx.now + OPERATION_DEADLINE_NANOS;
        ctx.add(action);
    }

    // ---- what happens

    void onChanged(ServerState next, int nextTimeline) {
        state = next;
        if (nextTimeline != 0) {
            timeline = nextTimeline;
        }
        boolean done = switch (operation) {
            case STOPPING -> next == ServerState.DOWN || next == ServerState.EMPTY;
            case STARTING_STANDBY -> next == ServerState.STANDBY;
            case STARTING_PRIMARY, PROMOTING -> next == ServerState.DOWN;
            case CLONING, REWINDING, NONE -> false;
        };
        if (done) {
            operation = Operation.NONE;
        }
        if (next == ServerState.DOWN || next == ServerState.STANDBY) {
            fault = "";
        }
    }

    /** A standby that keeps ending, as on a full disk, is started once a second from the fourth time on. */
    void onExited() {
        if (state == ServerState.STANDBY) {
            quickEnds = ctx.now - standbySince < STEADY_NANOS ? quickEnds + 1 : 0;
            if (quickEnds >= QUICK_STARTS) {
                notBefore = ctx.now + RETRY_NANOS;
            }
        }
        boolean replaces = operation == Operation.CLONING || operation == Operation.REWINDING;
        operation = replaces ? operation : Operation.NONE;
        if (state != ServerState.EMPTY) {
            state = ServerState.DOWN;
        }
        walMayGrow();
    }

    /** What fails again and again is tried once a second from the fourth time on. */
    void onFailed(String what) {
        operation = Operation.NONE;
        faults = faults > 0 && ctx.now - failedAt < FORGOTTEN_NANOS ? faults + 1 : 1;
        failures = failures > 0 && ctx.now - failedAt < STEADY_NANOS ? failures + 1 : 1;
        failedAt = ctx.now;
        notBefore = ctx.now + (failures > QUICK_STARTS ? RETRY_NANOS : QUICK_RETRY_NANOS);
        fault(what);
    }

    void onReady(int readyTimeline) {
        state = ServerState.PRIMARY;
        timeline = readyTimeline;
        operation = Operation.NONE;
        fault = "";
        walMayGrow();
    }

    void onCloneOvertaken() {
        if (operation == Operation.CLONING) {
            operation = Operation.NONE;
        }
    }

    /** False when something else is under way by now. */
    boolean onRewindFailed(boolean untouched) {
        if (operation != Operation.REWINDING) {
            return false;
        }
        operation = Operation.NONE;
        state = untouched ? ServerState.DOWN : ServerState.EMPTY;
        return true;
    }

    /** A clone or a rewind. */
    void onCloneDone() {
        state = ServerState.DOWN;
        operation = Operation.NONE;
        fault = "";
        walMayGrow();
    }

    /** False for the answer to a reading that something has overtaken. */
    boolean onPosition(long id, @Nullable Position read) {
        if (id != readId) {
            return false;
        }
        readDeadline = read == null ? ctx.now + RETRY_NANOS / 10 : 0;
        position = read;
        unsure = read == null ? unsure + 1 : 0;
        return true;
    }
}
