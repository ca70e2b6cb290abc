package io.quantadb.node.coordinator;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.EPOCH;
import static io.quantadb.node.common.LogKeys.FAILOVER;
import static io.quantadb.node.common.LogKeys.RAFT;
import static io.quantadb.node.common.LogKeys.REPLICATION;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.ClusterCore;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.RaftNode;
import io.quantadb.node.relay.WalRelay;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Feeds the decision core and carries out what it asks for. Confined to the core thread, which also drives Raft; only
 * {@link #post} may be called from anywhere. Actions are carried out in the order in which the core gave them; those
 * that wait are handed to {@link EngineActions} and {@link FactStore} and come back as events.
 */
public final class Coordinator {
    private static final Logger LOGGER = LoggerFactory.getLogger(Coordinator.class);

    /** So small a part of a drain is waited for transactions whose clients say nothing. */
    private static final int IDLE_SHARE = 5;

    /** Runs something on the core thread; as {@link RaftNode#hand}. */
    public interface CoreThread {
        RaftNode.Handed hand(Runnable task, boolean mayBeLost);
    }

    private final ClusterCore core;
    private final CoreInbox inbox;
    private final MonotonicClock clock;
    private final PeerActions peers;
    private final EngineActions engine;
    private final FactStore facts;
    private final RelayActions relay;
    private final FrontGate front;
    private final SwitchoverBoard board;
    private final Deque<Event> pending = new ArrayDeque<>();
    private boolean handling;
    private @Nullable ClusterState shownState;
    private @Nullable ServerState shownServer;

    Coordinator(
            ClusterCore core,
            CoreThread thread,
            MonotonicClock clock,
            PeerActions peers,
            EngineActions engine,
            FactStore facts,
            RelayActions relay,
            FrontGate front,
            SwitchoverBoard board,
            Consumer<Throwable> onFault) {
        this.core = core;
        this.inbox = new CoreInbox(thread, this::handle, onFault);
        this.clock = clock;
        this.peers = peers;
        this.engine = engine;
        this.facts = facts;
        this.relay = relay;
        this.front = front;
        this.board = board;
    }

    /**
     * Ties the core to the parts of a node that carry out its actions.
     *
     * @param onFault told once, from any thread, when the core has missed something: the node must stop
     */
    public static Coordinator of(
            ClusterCore core,
            RaftNode raft,
            ControlDispatcher network,
            ReplicatedState state,
            EngineControl engine,
            FactStore facts,
            WalRelay relay,
            FrontGate front,
            JoinDesk joins,
            AdminAnswers admin,
            SwitchoverBoard board,
            NodeId self,
            MonotonicClock clock,
            Consumer<Throwable> onFault) {
        return new Coordinator(
                core,
                raft::hand,
                clock,
                new PeerActions(self, raft, network, state::current, joins, admin),
                new EngineActions(engine, state::current),
                facts,
                new RelayActions(relay, state::current),
                front,
                board,
                onFault);
    }

    /** Hands an event to the core thread, as {@link CoreInbox} says. Any thread. */
    public void post(Event event) {
        inbox.post(event);
    }

    /** Takes an event on the core thread; events that actions cause are taken after it, never inside it. */
    public void handle(Event event) {
        pending.addLast(event);
        if (handling) {
            return;
        }
        handling = true;
        try {
            for (Event next = pending.pollFirst(); next != null && !inbox.broken(); next = pending.pollFirst()) {
                List<Action> actions = core.on(clock.nanos(), next);
                if (next instanceof Event.StateApplied applied
                        && applied.state().bootstrapped()) {
                    relay.onState(applied.state());
                }
                for (Action action : actions) {
                    perform(action);
                }
                showFront();
            }
        } finally {
            handling = false;
        }
    }

    private void perform(Action action) {
        switch (action) {
            case Action.PersistPromise(long epoch) ->
                facts.promise(epoch, () -> post(new Event.PromisePersisted(epoch)));
            case Action.PersistGeneration(long generation) ->
                facts.generation(generation, () -> post(new Event.GenerationPersisted(generation)));
            case Action.OpenFront(long epoch) -> front.open(epoch);
            case Action.CloseFront(String reason) -> front.close(reason);
            case Action.ServeLease(long epoch, long untilNanos) -> front.lease(epoch, untilNanos);
            case Action.HoldAnswers(var until) -> front.holdAnswers(until);
            case Action.DrainFront(long epoch, long round, int drainMillis) ->
                front.drain(round, Duration.ofMillis(drainMillis / IDLE_SHARE));
            case Action.ResumeFront() -> front.resume();
            case Action.ShowSwitchover(var report) -> board.show(report);
            case Action.Tell tell -> tell(tell);
            case Action.Follow follow -> {
                engine.prepare(follow);
                relay.perform(follow);
            }
            default -> {
                if (!peers.perform(action, this) && !relay.perform(action) && !engine.perform(action, this::post)) {
                    throw new IllegalStateException("nobody carries out " + action);
                }
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // states are immutable, and comparing them whole at every event would cost
    private void showFront() {
        ClusterState state = core.state();
        ServerState server = core.status().server();
        if (state != shownState || server != shownServer) {
            shownState = state;
            shownServer = server;
            front.view(state, server);
        }
    }

    private void tell(Action.Tell tell) {
        LOGGER.atInfo()
                .addMarker(marker(tell.story()))
                .addKeyValue(EPOCH, core.state().epoch())
                .log(tell.what());
    }

    private static Marker marker(String story) {
        return switch (story) {
            case "raft" -> RAFT;
            case "replication" -> REPLICATION;
            case "failover" -> FAILOVER;
            default -> CLUSTER;
        };
    }
}
