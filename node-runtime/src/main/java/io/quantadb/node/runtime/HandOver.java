package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.FAILOVER;
import static io.quantadb.node.common.LogKeys.NODE;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.api.Switchovers;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.SwitchoverReport;
import io.quantadb.node.cluster.SwitchoverRequest;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.postgres.StopMode;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a primary's node leaves when it is told to stop, while its decision core still runs:
 *
 * <ol>
 *   <li>it asks for a switchover to the best node, as an operator would, but for the rule of the next epoch, in which a
 *       node that leaves does not count; clients are served until transactions are held back;
 *   <li>where nobody can take over in order, the front is fenced, the voice closed and PostgreSQL stopped with the
 *       members' streams open, and the core is told that it ended: the leader promotes another as it can;
 *   <li>the node goes on with its own stop when another is primary and leads, or when nobody will be in time.
 * </ol>
 *
 * <p>Every wait is bounded: what cannot be done in time is left to the others, who take over as from a dead node. Used
 * once, by the thread that stops the node.
 */
final class HandOver {
    private static final Logger LOGGER = LoggerFactory.getLogger(HandOver.class);
    /** Until transactions are held back. */
    private static final Duration PREPARE = Duration.ofSeconds(5);
    /** For the whole switchover. */
    private static final Duration IN_ORDER = Duration.ofSeconds(11);

    private static final Duration STOP = Duration.ofSeconds(4);
    private static final Duration TAKE_OVER = Duration.ofSeconds(3);
    /** Without a leader for so long there is no majority that could promote. */
    private static final Duration LEADERLESS = Duration.ofSeconds(1);

    private static final long POLL_MILLIS = 5;

    private final NodeId self;
    private final NodeParts parts;
    private final Supplier<ClusterState> state;
    private final Supplier<@Nullable RaftStatus> raft;
    private final SwitchoverDesk desk;
    private final Consumer<Event> post;

    HandOver(
            NodeId self,
            NodeParts parts,
            Supplier<ClusterState> state,
            Supplier<@Nullable RaftStatus> raft,
            SwitchoverDesk desk,
            Consumer<Event> post) {
        this.self = self;
        this.parts = parts;
        this.state = state;
        this.raft = raft;
        this.desk = desk;
        this.post = post;
    }

    void run() throws InterruptedException {
        ClusterState before = state.get();
        if (!self.equals(before.primary()) || !parts.server().isReady()) {
            return;
        }
        long began = System.nanoTime();
        parts.engine().leave();
        boolean others = before.dataVoters().size() > 1;
        boolean taken = others && switchOver();
        parts.gate().stop();
        parts.front().close();
        boolean heir = before.rule().k() > 0;
        if (!taken) {
            stopInOrder(began, heir);
        }
        if (taken || heir) {
            told(await(this::taken), began);
        }
    }

    /** True when another node is the primary by then. */
    private boolean switchOver() throws InterruptedException {
        var wanted = new Switchovers.Wanted(null, PREPARE, Duration.ofMillis(SwitchoverRequest.DRAIN_MILLIS), null);
        CompletableFuture<Switchovers.Begun> asked = desk.ask(wanted, "this node, which stops", true);
        long giveUp = System.nanoTime() + IN_ORDER.toNanos();
        while (System.nanoTime() < giveUp) {
            if (!self.equals(state.get().primary())) {
                return true;
            }
            Switchovers.Begun begun = asked.getNow(null);
            if (begun != null) {
                SwitchoverReport first = begun.report();
                SwitchoverReport now =
                        first == null ? null : desk.byId(first.id()).orElse(first);
                if (now == null || now.over()) {
                    LOGGER.atInfo()
                            .addMarker(FAILOVER)
                            .addKeyValue(REASON, now == null ? begun.outcome().words() : now.words())
                            .log("no switchover before this node stops");
                    return !self.equals(state.get().primary());
                }
            }
            Thread.sleep(POLL_MILLIS);
        }
        return !self.equals(state.get().primary());
    }

    private void stopInOrder(long began, boolean heir) {
        parts.relay().closeVoice();
        parts.server().stop(StopMode.FAST, STOP);
        LOGGER.atInfo()
                .addMarker(FAILOVER)
                .addKeyValue("took_ms", millisSince(began))
                .log("this primary stopped in order");
        if (heir) {
            post.accept(new Event.ServerExited("this node stops"));
        }
    }

    private void told(boolean handedOver, long began) {
        LOGGER.atInfo()
                .addMarker(FAILOVER)
                .addKeyValue(NODE, state.get().primary())
                .addKeyValue("took_ms", millisSince(began))
                .log(handedOver ? "handed over" : "nobody took over in time; the others go on by themselves");
    }

    /** The promotion is committed, and somebody else tells the others. */
    private boolean taken() {
        RaftStatus now = raft.get();
        return !self.equals(state.get().primary()) && now != null && !now.isLeader() && now.leader() != null;
    }

    private boolean await(BooleanSupplier condition) throws InterruptedException {
        long began = System.nanoTime();
        long led = began;
        while (!condition.getAsBoolean()) {
            long now = System.nanoTime();
            RaftStatus status = raft.get();
            if (status != null && status.leader() != null) {
                led = now;
            }
            if (now - began > TAKE_OVER.toNanos() || now - led > LEADERLESS.toNanos()) {
                return false;
            }
            Thread.sleep(POLL_MILLIS);
        }
        return true;
    }

    private static long millisSince(long beganNanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNanos);
    }
}
