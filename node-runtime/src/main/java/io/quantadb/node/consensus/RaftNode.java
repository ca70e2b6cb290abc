package io.quantadb.node.consensus;

import static io.quantadb.node.common.LogKeys.PEER;
import static io.quantadb.node.common.LogKeys.RAFT;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.MembershipChange;
import io.quantadb.node.raft.RaftCodec;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raftlog.RaftStorage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Consensus on one node: the thread {@code quantadb-core} that owns the Raft core, the state machine's application
 * and every callback, fed by one bounded inbox; and the thread {@code quantadb-raft-log} that writes.
 *
 * <p>The core thread handles everything that waits before it lets a tick pass, so that a node that did not run for a
 * while first hears what it missed. What comes over the network may fill three quarters of the inbox and is dropped
 * beyond that (Raft asks again), so that a flood of it leaves room for what happens on this node; {@link #hand} says
 * what became of a task. A fault of the disk or a broken assertion ends consensus on this node for good, is told
 * to {@link RaftListener#onFault}, and its lease ends with it.
 */
public final class RaftNode implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(RaftNode.class);
    private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(5);
    private static final int BATCH_MAX = 256;
    /** This part of the inbox is kept for tasks that must not be lost. */
    private static final int RESERVE_PARTS = 4;

    /** What became of a task that was handed to the core thread. */
    public enum Handed {
        TAKEN,
        /** The core thread does not keep up. */
        FULL,
        /** Not started yet, or stopped for good. */
        NOT_RUNNING
    }

    private final RaftNodeConfig config;
    private final ControlDispatcher network;
    private final StateMachine stateMachine;
    private final RaftListener listener;
    private final MonotonicClock clock;
    private final RandomGenerator random;

    private final BlockingQueue<Runnable> inbox;
    private final Set<NodeId> heard = ConcurrentHashMap.newKeySet();
    private final ControlDispatcher.Watcher watcher = new ControlDispatcher.Watcher() {
        @Override
        public void onHeard(NodeId from, long receivedNanos) {
            heard.add(from);
        }
    };

    private volatile boolean running;
    private volatile @Nullable RaftStatus status;
    private volatile long leaseUntil;
    private @Nullable RaftStorage storage;
    private @Nullable LogWriter writer;
    private @Nullable CoreLoop loop;
    private @Nullable Thread thread;

    public RaftNode(
            RaftNodeConfig config,
            ControlDispatcher network,
            StateMachine stateMachine,
            RaftListener listener,
            MonotonicClock clock,
            RandomGenerator random) {
        this.config = config;
        this.network = network;
        this.stateMachine = stateMachine;
        this.listener = listener;
        this.clock = clock;
        this.random = random;
        this.inbox = new ArrayBlockingQueue<>(config.inboxMax());
        this.leaseUntil = clock.nanos();
    }

    /** Makes a group of one on an empty directory; {@link LocalFault} when the directory holds a log. */
    public static void bootstrap(Path directory, PeerId self) {
        RaftStorage.create(directory, RaftRestored.groupOfOne(self));
    }

    /** Whether a Raft log was ever begun in this directory. */
    public static boolean exists(Path directory) {
        return RaftStorage.exists(directory);
    }

    /**
     * Recovers the log, restores the state machine from the snapshot (on the calling thread) and starts the threads.
     * {@link LocalFault} when the directory is in use, damaged or not writable. The network is started by its owner.
     */
    public void start() {
        RaftStorage opened = RaftStorage.open(config.directory());
        storage = opened;
        LogWriter log = new LogWriter(opened, this::wake, clock, config.flushInterval());
        writer = log;
        CoreLoop core = new CoreLoop(config, opened.restored(), network, stateMachine, listener, clock, random, log);
        loop = core;
        publish(core);
        running = true;
        network.register(ControlDispatcher.RAFT, this::onMessage);
        network.watch(watcher);
        log.start();
        Thread t = Thread.ofPlatform().name("quantadb-core").daemon(true).unstarted(() -> run(core, log));
        thread = t;
        t.start();
    }

    /** Runs this on the core thread; false when the inbox is full or the node has stopped. Any thread. */
    public boolean execute(Runnable task) {
        return hand(task, false) == Handed.TAKEN;
    }

    /**
     * Runs this on the core thread. Any thread, never blocks.
     *
     * @param mayBeLost whoever sent it sends again: it is not taken when only the reserve is left
     */
    public Handed hand(Runnable task, boolean mayBeLost) {
        if (!running) {
            return Handed.NOT_RUNNING;
        }
        boolean room = !mayBeLost || inbox.remainingCapacity() > config.inboxMax() / RESERVE_PARTS;
        return room && inbox.offer(task) ? Handed.TAKEN : Handed.FULL;
    }

    /** Core thread only. {@code done} is called once, on the core thread; perhaps before this returns. */
    public void propose(byte[] command, Consumer<ProposalOutcome> done) {
        core().propose(command, done);
    }

    /** Core thread only; as {@link #propose}. */
    public void changeMembership(MembershipChange change, Consumer<ProposalOutcome> done) {
        core().changeMembership(change, done);
    }

    /** Core thread only. Begins a transfer of leadership: Committed(0) when begun; the role tells how it went. */
    public ProposalOutcome transfer(PeerId target) {
        return core().transfer(target);
    }

    /** Core thread only. Committed(index) once this leader may answer a linearizable read from its state. */
    public void readIndex(Consumer<ProposalOutcome> done) {
        core().readIndex(done);
    }

    /** Core thread only. 0 campaigns first when the leader is lost; negative: by order among the voters. */
    public void setRank(int rank) {
        core().setRank(rank);
    }

    /**
     * Core thread only. Runs with the election timeouts and the lease of that configuration from now on; what must be on
     * disk before and after, {@link io.quantadb.node.raft.RaftCore#retime} says.
     */
    public void retime(RaftConfig timers) {
        core().retime(timers);
    }

    /** The last published status; any thread. On the core thread it is of now. */
    public RaftStatus status() {
        if (Thread.currentThread().equals(thread)) {
            return core().status();
        }
        RaftStatus last = status;
        if (last == null) {
            throw new IllegalStateException("consensus has not been started");
        }
        return last;
    }

    /** The leader's own lease, on this node's clock; any thread. In the past when there is none. */
    public long leaseUntilNanos() {
        return leaseUntil;
    }

    /** Stops the threads and releases the directory; what was being written is finished first. */
    @Override
    public void close() {
        running = false;
        network.unregister(ControlDispatcher.RAFT);
        network.unwatch(watcher);
        wake();
        Thread t = thread;
        if (t != null && !t.equals(Thread.currentThread())) {
            join(t);
        }
        LogWriter log = writer;
        if (log != null) {
            log.close();
            join(log.thread());
        }
        RaftStorage opened = storage;
        storage = null;
        if (opened != null) {
            opened.close();
        }
    }

    // ---- the core thread

    private void run(CoreLoop core, LogWriter log) {
        try {
            long tick = config.raft().tick().toNanos();
            long nextTick = clock.nanos();
            List<Runnable> batch = new ArrayList<>(BATCH_MAX);
            while (running) {
                Runnable first = inbox.poll(Math.max(0, nextTick - clock.nanos()), TimeUnit.NANOSECONDS);
                if (first != null) {
                    batch.add(first);
                    inbox.drainTo(batch, BATCH_MAX - 1);
                }
                log.requireHealthy();
                core.written(log.completed());
                batch.forEach(Runnable::run);
                batch.clear();
                heard.removeIf(node -> {
                    core.heard(node);
                    return true;
                });
                core.pump();
                long late = clock.nanos() - nextTick;
                if (inbox.isEmpty() && late >= 0) {
                    core.tick(late);
                    core.pump();
                    nextTick = clock.nanos() + tick;
                }
                publish(core);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            stopFor(e);
        }
        leaseUntil = clock.nanos();
    }

    private void stopFor(Throwable fault) {
        running = false;
        leaseUntil = clock.nanos();
        LOGGER.atError()
                .addMarker(RAFT)
                .addKeyValue(REASON, fault.getMessage())
                .setCause(fault)
                .log("consensus on this node has stopped");
        listener.onLease(leaseUntil);
        listener.onFault(fault);
    }

    private void publish(CoreLoop core) {
        leaseUntil = core.leaseUntilNanos();
        if (core.takeStatusChanged()) {
            status = core.status();
        }
    }

    private CoreLoop core() {
        CoreLoop core = loop;
        if (core == null || !Thread.currentThread().equals(thread)) {
            throw new IllegalStateException("to be called on the core thread, through execute");
        }
        return core;
    }

    // ---- other threads

    private void onMessage(NodeId from, byte[] payload, long receivedNanos) {
        CoreLoop core = loop;
        if (core == null) {
            return;
        }
        RaftCodec.Envelope e;
        try {
            e = RaftCodec.decode(payload);
        } catch (IllegalArgumentException bad) {
            LOGGER.atWarn()
                    .addMarker(RAFT)
                    .addKeyValue(PEER, from)
                    .addKeyValue(REASON, bad.getMessage())
                    .log("dropped a message that cannot be read");
            return;
        }
        // The certificate names the node; what the message claims about its sender must agree with it.
        if (e.cluster() != config.clusterIdHash() || !e.from().node().equals(from)) {
            return;
        }
        if (hand(() -> core.receive(e), true) == Handed.FULL) {
            LOGGER.atDebug().addMarker(RAFT).log("inbox full, dropped a message");
        }
    }

    private void wake() {
        // When the inbox is full the core thread is awake anyway.
        boolean woken = inbox.offer(() -> {});
        if (!woken) {
            LOGGER.atTrace().addMarker(RAFT).log("inbox full, the core is awake");
        }
    }

    private static void join(Thread t) {
        try {
            if (!t.join(CLOSE_DEADLINE)) {
                LOGGER.atWarn()
                        .addMarker(RAFT)
                        .addKeyValue("thread", t.getName())
                        .log("did not stop in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
