package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.PEER;
import static io.quantadb.node.common.LogKeys.RAFT;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.CoordCodec;
import io.quantadb.node.cluster.CoordMessage;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.RaftListener;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.coordinator.Coordinator;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what Raft and the network say into events of the decision core. Everything but the network's callbacks runs on
 * the core thread; those hand over.
 */
final class NodeLoop implements RaftListener, ControlDispatcher.Watcher {
    private static final Logger LOGGER = LoggerFactory.getLogger(NodeLoop.class);
    private static final long VIEW_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Coordinator coordinator;
    private final LongSupplier wallMillis;
    private final Consumer<RaftStatus> onStatus;
    private final Consumer<Throwable> onFault;
    private final Runnable refreshView;
    private @Nullable RaftStatus last;
    private long viewedNanos;

    NodeLoop(
            Coordinator coordinator,
            LongSupplier wallMillis,
            Consumer<RaftStatus> onStatus,
            Consumer<Throwable> onFault,
            Runnable refreshView) {
        this.coordinator = coordinator;
        this.wallMillis = wallMillis;
        this.onStatus = onStatus;
        this.onFault = onFault;
        this.refreshView = refreshView;
    }

    @Override
    public void onChanged(RaftStatus status) {
        RaftStatus before = last;
        last = status;
        if (before == null || !before.membership().equals(status.membership())) {
            coordinator.handle(new Event.RaftMembership(
                    status.membership().voters(), status.membership().learners()));
        }
        PeerId leader = status.leader();
        coordinator.handle(new Event.RaftChanged(
                status.isLeader(),
                status.term(),
                leader == null ? null : leader.node(),
                status.ownTermApplied(),
                status.byTransfer()));
        onStatus.accept(status);
    }

    @Override
    public void onLease(long untilNanos) {
        coordinator.handle(new Event.LeaderLease(untilNanos));
    }

    @Override
    public void onTick(long nowNanos) {
        coordinator.handle(new Event.Tick(wallMillis.getAsLong()));
        if (nowNanos - viewedNanos >= VIEW_EVERY_NANOS) {
            viewedNanos = nowNanos;
            refreshView.run();
        }
    }

    @Override
    public void onPace(long tickLateNanos, Map<NodeId, Long> answersNanos) {
        coordinator.handle(new Event.Paced(tickLateNanos, answersNanos));
    }

    @Override
    public void onRegressed(PeerId peer) {
        LOGGER.atError()
                .addMarker(RAFT)
                .addKeyValue(PEER, peer)
                .log("a member has lost log entries that it had acknowledged; it must come back as a new incarnation");
    }

    @Override
    public void onFault(Throwable fault) {
        onFault.accept(fault);
    }

    void onState(ClusterState state, long index) {
        coordinator.handle(new Event.StateApplied(state, index));
    }

    /** Network thread. */
    void onCoordMessage(NodeId from, byte[] payload) {
        CoordMessage message;
        try {
            message = CoordCodec.decode(payload);
        } catch (NodeException | IllegalArgumentException e) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue(PEER, from)
                    .addKeyValue("problem", e.getMessage())
                    .log("dropped a message that this release cannot read");
            return;
        }
        coordinator.post(new Event.Received(from, message));
    }

    @Override
    public void onHeard(NodeId from, long receivedNanos) {
        coordinator.post(new Event.Heard(from));
    }

    @Override
    public void onDisconnected(NodeId peer, boolean reset) {
        if (reset) {
            coordinator.post(new Event.Unreachable(peer));
        }
    }
}
