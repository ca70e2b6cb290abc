package io.quantadb.node.front;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.EPOCH;
import static io.quantadb.node.common.LogKeys.REPLICATION;
import static io.quantadb.node.common.LogKeys.SESSION;

import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.front.Session.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All sessions of this front, and what happens to many of them at once: a new view, a lost lease, a hold, a fence.
 * Methods may be called on any thread; each session is then asked on its own loop.
 */
// a write or close that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
final class Sessions implements Session.Owner {
    private static final Logger LOGGER = LoggerFactory.getLogger(Sessions.class);

    private record Entry(CompletableFuture<@Nullable Void> ended, Set<CancelKey> keys) {}

    private final Gate gate;
    private final MonotonicClock clock;
    private final Duration leaseGrace;
    private final CancelRouter cancels;
    private final FrontListener listener;
    private final java.util.function.IntSupplier primaryPort;
    private final Map<Session, Entry> all = new ConcurrentHashMap<>();
    private final Set<Session> held = ConcurrentHashMap.newKeySet();
    private volatile Drain drain = new Drain(Duration.ZERO, 0);

    /** Only the ticking thread's. */
    private boolean leaseOut;

    private long leaseOutSinceNanos;

    Sessions(
            Gate gate,
            MonotonicClock clock,
            Duration leaseGrace,
            CancelRouter cancels,
            FrontListener listener,
            java.util.function.IntSupplier primaryPort) {
        this.gate = gate;
        this.clock = clock;
        this.leaseGrace = leaseGrace;
        this.cancels = cancels;
        this.listener = listener;
        this.primaryPort = primaryPort;
    }

    void add(Session session) {
        all.put(session, new Entry(new CompletableFuture<>(), ConcurrentHashMap.newKeySet()));
    }

    /** Obeys a view that the gate already has. */
    void onView(FrontView view) {
        FrontView.Primary primary = view.primary();
        for (Session session : all.keySet()) {
            FrontView.Primary peer = session.setup().peer();
            if (peer == null) {
                session.run(session::recheck, null);
            } else if (primary != null && !primary.node().equals(peer.node())) {
                session.run(() -> session.cut("The primary is now node " + primary.node() + "."), null);
            }
        }
    }

    /** Ends sessions at once, nothing held is sent; complete when all of them are closed. */
    CompletableFuture<@Nullable Void> cut(Predicate<Session> which, String reason) {
        var ending = new ArrayList<CompletableFuture<@Nullable Void>>();
        all.forEach((session, entry) -> {
            if (which.test(session)) {
                ending.add(entry.ended);
                session.run(() -> session.cut(reason), null);
            }
        });
        if (!ending.isEmpty()) {
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue("sessions", ending.size())
                    .addKeyValue("reason", reason)
                    .log("sessions cut");
        }
        return CompletableFuture.allOf(ending.toArray(CompletableFuture[]::new)).<@Nullable Void>thenApply(_ -> null);
    }

    /**
     * Lets no session of the primary begin a transaction; complete when none of those that are there now has one under
     * way. A session that starts meanwhile is not waited for, nor one whose transaction has waited for its client for as
     * long as {@code patience}: who holds everybody up shall be doing something.
     */
    CompletableFuture<@Nullable Void> drain(Duration patience) {
        Drain begun = new Drain(patience, clock.nanos());
        all.keySet().stream().filter(Sessions::ofPrimary).forEach(begun.busy::add);
        drain = begun;
        gate.setDraining(true);
        for (Session session : begun.busy) {
            session.run(
                    () -> {
                        if (session.between()) {
                            begun.leave(session);
                        } else {
                            begun.lookAgain(session);
                        }
                    },
                    null);
        }
        begun.look();
        return begun.done;
    }

    /** Asks those that are waited for what they do, as often as it may take one of them to be given up. */
    private void lookAtIdle() {
        Drain current = drain;
        long now = clock.nanos();
        if (!current.done.isDone() && now - current.lookAtNanos >= 0) {
            current.lookAtNanos = now + current.patience.toNanos();
            current.busy.forEach(session -> session.run(() -> current.lookAgain(session), null));
        }
    }

    /** Transactions begin again, first those whose statements are held. */
    void resume() {
        gate.setDraining(false);
        drain = new Drain(Duration.ZERO, 0);
        onView(gate.view());
    }

    /** The sessions whose transactions are waited for. Any thread. */
    private static final class Drain {
        private final Set<Session> busy = ConcurrentHashMap.newKeySet();
        private final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
        /** Of those whose transaction was idle when they were last looked at: which turn was over then. */
        private final Map<Session, Long> idleSince = new ConcurrentHashMap<>();

        private final Duration patience;
        /** Only the ticking thread's, once begun. */
        private long lookAtNanos;

        private Drain(Duration patience, long beganNanos) {
            this.patience = patience;
            this.lookAtNanos = beganNanos + patience.toNanos();
        }

        /** On the session's loop. */
        private void lookAgain(Session session) {
            if (!session.idleInTransaction()) {
                idleSince.remove(session);
            } else if (Long.valueOf(session.turn()).equals(idleSince.put(session, session.turn()))) {
                leave(session);
            }
        }

        private void leave(Session session) {
            busy.remove(session);
            look();
        }

        private void look() {
            if (busy.isEmpty()) {
                done.complete(null);
            }
        }
    }

    /** Called every few milliseconds by one thread: lets held sessions go on, or ends what was held too long. */
    void tick() {
        gate.settle();
        lookAtIdle();
        for (Session session : held) {
            session.run(session::recheck, null);
        }
        FrontView view = gate.view();
        boolean out = view.mode() == FrontView.Mode.PRIMARY && !gate.leaseHeld(view.epoch());
        if (out && !leaseOut) {
            leaseOutSinceNanos = clock.nanos();
        }
        leaseOut = out;
        if (out && clock.nanos() - leaseOutSinceNanos > leaseGrace.toNanos()) {
            leaseOutSinceNanos = clock.nanos();
            var _ = cut(Sessions::ofLocalServer, "It has lost contact with the majority.");
        }
    }

    static boolean ofLocalServer(Session session) {
        return session.setup().kind() != Kind.RELAYED;
    }

    static boolean ofPrimary(Session session) {
        return ofLocalServer(session) && session.boundEpoch() > 0;
    }

    FrontSessions snapshot(int connections) {
        int standby = 0;
        int primary = 0;
        int fromPeers = 0;
        int relayed = 0;
        for (Session session : all.keySet()) {
            switch (session.setup().kind()) {
                case RELAYED -> relayed++;
                case PEER -> fromPeers++;
                case LOCAL -> {
                    if (session.boundEpoch() > 0) {
                        primary++;
                    } else {
                        standby++;
                    }
                }
            }
        }
        int starting = Math.max(0, connections - standby - primary - fromPeers - relayed);
        return new FrontSessions(standby, primary, fromPeers, relayed, starting, held.size());
    }

    /** Every session's end, for a front that closes. */
    List<CompletableFuture<@Nullable Void>> ends() {
        return all.values().stream().map(Entry::ended).toList();
    }

    @Override
    public void onWaitCancelled(Session session) {
        long ticket = gate.waitCancelled(session.boundEpoch());
        LOGGER.atWarn()
                .addMarker(REPLICATION)
                .addKeyValue(SESSION, session.setup().number())
                .addKeyValue(EPOCH, session.boundEpoch())
                .log("a commit's wait for acknowledgement was cancelled, answers are held");
        listener.onWaitCancelled(ticket);
    }

    @Override
    public void onVoiceNameClaimed(Session session) {
        LOGGER.atWarn()
                .addMarker(REPLICATION)
                .addKeyValue(SESSION, session.setup().number())
                .addKeyValue(ADDRESS, session.setup().clientAddress())
                .log("a replication connection took the voice's name and was cut");
        listener.onVoiceNameClaimed(session.setup().user(), session.setup().clientAddress());
    }

    @Override
    public void onKey(Session session, CancelKey key) {
        Entry entry = all.get(session);
        if (entry != null && entry.keys.isEmpty()) {
            entry.keys.add(key);
            cancels.remember(key, session);
        }
    }

    @Override
    public void onHeld(Session session, boolean isHeld) {
        if (isHeld) {
            held.add(session);
        } else {
            held.remove(session);
        }
    }

    @Override
    public void onBetween(Session session) {
        drain.leave(session);
    }

    @Override
    public void onEnded(Session session) {
        held.remove(session);
        drain.leave(session);
        Entry entry = all.remove(session);
        if (entry != null) {
            entry.keys.forEach(key -> cancels.forget(key, session));
            entry.ended.complete(null);
        }
        LOGGER.atDebug()
                .addMarker(CLUSTER)
                .addKeyValue(SESSION, session.setup().number())
                .log("session ended");
    }

    @Override
    public Report readOnly(Report original) {
        return Words.readOnly(original, gate.view(), primaryPort.getAsInt());
    }
}
