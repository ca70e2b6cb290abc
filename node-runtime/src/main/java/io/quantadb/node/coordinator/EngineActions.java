package io.quantadb.node.coordinator;

import static io.quantadb.node.common.LogKeys.EPOCH;
import static io.quantadb.node.common.LogKeys.FAILOVER;
import static io.quantadb.node.common.LogKeys.REASON;
import static io.quantadb.node.common.LogKeys.REPLICATION;
import static io.quantadb.node.common.LogKeys.TIMELINE;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what the core asks of the local PostgreSQL: one task after another on the engine's thread, answers as
 * events. A stop is urgent: it throws away what is queued and interrupts what runs.
 */
final class EngineActions implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(EngineActions.class);

    private static final long NO_ROUND = Long.MIN_VALUE;

    private final EngineControl engine;
    private final EngineQueue queue = new EngineQueue();
    private final Supplier<ClusterState> state;
    private final AtomicLong checkpointWanted = new AtomicLong(NO_ROUND);
    private final AtomicBoolean checkpointing = new AtomicBoolean();
    /** The newest timeline that was to be prepared for; whoever is at an older one gives up. */
    private final AtomicLong expected = new AtomicLong();
    /** Written by whoever is at it. */
    private volatile long checkpointDone = NO_ROUND;

    EngineActions(EngineControl engine, Supplier<ClusterState> state) {
        this.engine = engine;
        this.state = state;
    }

    /** False when the action is not the engine's. */
    boolean perform(Action action, Consumer<Event> core) {
        switch (action) {
            case Action.StartStandby() -> queue.submit("start standby", () -> startStandby(core));
            case Action.StartPrimary() ->
                queue.submit("start primary", () -> becomePrimary(core, engine::startPrimary));
            case Action.StopServer(boolean immediate) -> queue.urgent("stop", () -> stop(core, immediate));
            case Action.PromoteServer(long epoch, int timeline) ->
                queue.submit("promote", () -> {
                    LOGGER.atInfo()
                            .addMarker(FAILOVER)
                            .addKeyValue(EPOCH, epoch)
                            .addKeyValue(TIMELINE, timeline)
                            .log("Promoting to PRIMARY role");
                    core.accept(new Event.ServerChanged(ServerState.PROMOTING, 0));
                    becomePrimary(core, () -> engine.promote(timeline));
                });
            case Action.Clone order -> queue.submit("clone", () -> cloneFrom(core, order));
            case Action.Rewind order -> queue.submit("rewind", () -> rewind(core, order));
            case Action.ReadPosition(long requestId) ->
                queue.submit("read position", () -> core.accept(new Event.PositionRead(requestId, readPosition())));
            case Action.ReadInsertPosition(long version) ->
                beside(
                        "read insert position",
                        () -> core.accept(new Event.InsertPositionRead(version, engine.insertPosition())));
            case Action.Checkpoint(long round) -> {
                checkpointWanted.set(round);
                beside("checkpoint", () -> checkpoint(core));
            }
            case Action.ProbeCommit(long attempt) ->
                beside("probe commit", () -> {
                    EngineControl.Probed seen = engine.probeCommit();
                    if (seen == EngineControl.Probed.WAITED) {
                        core.accept(new Event.ProbeCommitWaited(attempt));
                    } else if (seen == EngineControl.Probed.PASSED && engine.running()) {
                        // Of a server that has ended meanwhile this says nothing.
                        core.accept(new Event.ProbeCommitPassed(attempt));
                    }
                });
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Beside the relay's part of it: where the node changes to another timeline, its first file is there in time. */
    void prepare(Action.Follow follow) {
        ClusterState s = state.get();
        boolean changes = follow.epoch() == s.epoch() && follow.checked().timeline() != s.timeline();
        Lsn fork = s.history().isEmpty() ? Lsn.NONE : s.history().getLast().branchPoint();
        if (changes && !fork.isNone()) {
            long number = expected.incrementAndGet();
            beside("expect timeline", () -> engine.expectTimeline(s.timeline(), fork, () -> expected.get() == number));
        }
    }

    /** One at a time, the last that was asked for when the one before it is done: one that hangs holds one session. */
    private void checkpoint(Consumer<Event> core) throws InterruptedException {
        while (checkpointWanted.get() != checkpointDone && checkpointing.compareAndSet(false, true)) {
            try {
                long round = checkpointWanted.get();
                engine.checkpoint();
                checkpointDone = round;
                core.accept(new Event.CheckpointDone(round));
            } finally {
                checkpointing.set(false);
            }
        }
    }

    private interface Start {
        EngineControl.Primary run() throws InterruptedException;
    }

    private void startStandby(Consumer<Event> core) throws InterruptedException {
        try {
            int timeline = engine.startStandby();
            core.accept(new Event.ServerChanged(ServerState.STANDBY, timeline));
            tellIfEnded(core);
        } catch (RuntimeException e) {
            failed(core, "start as standby", e);
        }
    }

    private void becomePrimary(Consumer<Event> core, Start start) throws InterruptedException {
        try {
            EngineControl.Primary primary = start.run();
            core.accept(new Event.ServerChanged(ServerState.PRIMARY, primary.timeline()));
            core.accept(new Event.ServerPrimaryReady(
                    primary.timeline(), primary.parentTimeline(), primary.fork(), primary.recoveryEnd()));
            tellIfEnded(core);
        } catch (RuntimeException e) {
            failed(core, "become primary", e);
        }
    }

    /** A server that ended while it started told so before it was said to have started: say it again, in this order. */
    private void tellIfEnded(Consumer<Event> core) {
        if (!engine.running()) {
            core.accept(new Event.ServerExited("it ended as soon as it had started"));
        }
    }

    private void stop(Consumer<Event> core, boolean immediate) throws InterruptedException {
        try {
            engine.stop(immediate);
            core.accept(new Event.ServerChanged(ServerState.DOWN, 0));
        } catch (RuntimeException e) {
            failed(core, "stop", e);
        }
    }

    private void cloneFrom(Consumer<Event> core, Action.Clone order) throws InterruptedException {
        NodeId from = order.from();
        Member source = state.get().members().get(from);
        if (source == null) {
            core.accept(new Event.ServerFailed("cannot clone from " + from + ": it is no member"));
            return;
        }
        LOGGER.atInfo()
                .addMarker(REPLICATION)
                .addKeyValue("source", from)
                .addKeyValue("generation", order.generation())
                .log("cloning the data directory");
        try {
            engine.cloneFrom(
                    source, order.epoch(), order.generation(), order.distrusted(), () -> inEpoch(order.epoch()));
            LOGGER.atInfo().addMarker(REPLICATION).addKeyValue("source", from).log("clone complete");
            core.accept(new Event.CloneDone(order.generation()));
        } catch (RuntimeException e) {
            if (inEpoch(order.epoch())) {
                failed(core, "clone from " + from, e);
            } else {
                core.accept(new Event.CloneOvertaken());
            }
        }
    }

    private void rewind(Consumer<Event> core, Action.Rewind order) throws InterruptedException {
        Member source = state.get().members().get(order.from());
        if (source == null) {
            core.accept(new Event.RewindFailed(order.from() + " is no member", false));
            return;
        }
        LOGGER.atInfo()
                .addMarker(REPLICATION)
                .addKeyValue("source", order.from())
                .addKeyValue("generation", order.generation())
                .log("going back to the primary's branch");
        try {
            engine.rewind(
                    source, order.epoch(), order.generation(), order.end(), order.fork(), () -> inEpoch(order.epoch()));
            core.accept(new Event.RewindDone(order.generation()));
        } catch (EngineControl.Overtaken e) {
            core.accept(new Event.RewindFailed(String.valueOf(e.getMessage()), true));
        } catch (RuntimeException e) {
            String words = e.getMessage() == null ? e.toString() : e.getMessage();
            LOGGER.atWarn().addMarker(REPLICATION).addKeyValue(REASON, words).log("the data directory was not rewound");
            core.accept(new Event.RewindFailed(words, false));
        }
    }

    private boolean inEpoch(long epoch) {
        return state.get().epoch() == epoch;
    }

    private io.quantadb.node.cluster.@org.jspecify.annotations.Nullable Position readPosition()
            throws InterruptedException {
        try {
            return engine.position();
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addMarker(REPLICATION)
                    .addKeyValue(REASON, e.getMessage())
                    .log("the end of this node's WAL cannot be told");
            return null;
        }
    }

    /** Whatever it was: a core that is never told waits, for a clone for ever. */
    private static void failed(Consumer<Event> core, String what, RuntimeException e) {
        String words = e.getMessage() == null ? e.toString() : e.getMessage();
        LOGGER.atWarn().addMarker(FAILOVER).addKeyValue(REASON, words).log("PostgreSQL could not " + what);
        core.accept(new Event.ServerFailed(what + ": " + words));
    }

    /** Short questions to a running server must not wait behind anything. */
    private static void beside(String name, EngineQueue.Task task) {
        Thread.ofVirtual().name("quantadb-" + name.replace(' ', '-')).start(() -> {
            try {
                task.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
                LOGGER.atDebug()
                        .addKeyValue("task", name)
                        .addKeyValue(REASON, e.getMessage())
                        .log("failed, asked again later");
            }
        });
    }

    @Override
    public void close() {
        expected.incrementAndGet();
        queue.close();
    }
}
