package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.FAILOVER;
import static io.quantadb.node.common.LogKeys.NODE;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.postgres.StopMode;
import java.time.Duration;
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
 *   <li>PostgreSQL writes a checkpoint while it still serves, so that its shutdown has little left to write;
 *   <li>the front is fenced and takes nobody any more: nothing is answered from here on;
 *   <li>the voice is closed and PostgreSQL stopped, with the members' streams open: it waits until they have flushed all
 *       its WAL, its shutdown record included, so that this node's data is a part of what the next primary holds;
 *   <li>the core is told that PostgreSQL ended, and the leader, perhaps this very node, promotes another at once;
 *   <li>the node goes on with its own stop when another is primary and leads, or when nobody will be in time.
 * </ol>
 *
 * <p>Every wait is bounded: what cannot be done in time is left to the others, who take over as from a dead node. Used
 * once, by the thread that stops the node.
 */
final class HandOver {
    private static final Logger LOGGER = LoggerFactory.getLogger(HandOver.class);
    private static final Duration CHECKPOINT = Duration.ofSeconds(3);
    private static final Duration STOP = Duration.ofSeconds(4);
    private static final Duration TAKE_OVER = Duration.ofSeconds(3);
    /** Without a leader for so long there is no majority that could promote. */
    private static final Duration LEADERLESS = Duration.ofSeconds(1);

    private static final long POLL_MILLIS = 5;

    private final NodeId self;
    private final NodeParts parts;
    private final Supplier<ClusterState> state;
    private final Supplier<@Nullable RaftStatus> raft;
    private final Consumer<Event> post;

    HandOver(
            NodeId self,
            NodeParts parts,
            Supplier<ClusterState> state,
            Supplier<@Nullable RaftStatus> raft,
            Consumer<Event> post) {
        this.self = self;
        this.parts = parts;
        this.state = state;
        this.raft = raft;
        this.post = post;
    }

    void run() throws InterruptedException {
        ClusterState before = state.get();
        if (!self.equals(before.primary()) || !parts.server().isReady()) {
            return;
        }
        boolean heir = before.rule().k() > 0;
        if (heir) {
            checkpoint();
        }
        long began = System.nanoTime();
        parts.gate().stop();
        parts.front().close();
        parts.engine().leave();
        parts.relay().closeVoice();
        parts.server().stop(StopMode.FAST, STOP);
        LOGGER.atInfo()
                .addMarker(FAILOVER)
                .addKeyValue("took_ms", millisSince(began))
                .log("this primary stopped in order");
        if (!heir) {
            return;
        }
        post.accept(new Event.ServerExited("this node stops"));
        boolean taken = await(this::taken);
        LOGGER.atInfo()
                .addMarker(FAILOVER)
                .addKeyValue(NODE, state.get().primary())
                .addKeyValue("took_ms", millisSince(began))
                .log(taken ? "handed over" : "nobody took over in time; the others go on by themselves");
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

    private void checkpoint() throws InterruptedException {
        Thread work = Thread.ofVirtual().name("quantadb-last-checkpoint").start(() -> {
            try {
                var _ = parts.server().sessions().ask("CHECKPOINT");
            } catch (NodeException e) {
                LOGGER.atDebug().addKeyValue(REASON, e.getMessage()).log("no checkpoint before the stop");
            }
        });
        work.join(CHECKPOINT);
    }

    private static long millisSince(long beganNanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNanos);
    }
}
