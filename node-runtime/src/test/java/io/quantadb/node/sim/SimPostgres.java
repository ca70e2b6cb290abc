package io.quantadb.node.sim;

import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.common.Lsn;
import java.util.ArrayList;
import java.util.List;

/**
 * One server: a list of records, how many of them are flushed, and what it is doing. LSNs are 10 times the number of
 * records. Starting, promoting and stopping take time and can be cut short; a crash keeps a part of the unflushed tail.
 */
final class SimPostgres {
    /** One WAL record; two nodes hold the same WAL where they hold the same objects. */
    record Rec(int timeline, long id, String what) {}

    static final long STEP = 10;
    private static final long FAST_STOP_MS = 3_000;

    private final SimNode node;
    private final SimWorld world;
    final List<Rec> wal = new ArrayList<>();
    int flushed;
    boolean empty = true;
    ServerState state = ServerState.EMPTY;
    int timeline;
    /** Out of recovery: takes writes and serves streams. */
    boolean ready;
    /** So many records are visible to whoever asks, acknowledged or not. */
    int visible;

    /** Told to stop fast: it writes no more but the record of its shutdown, and ends when its streams have that. */
    boolean shuttingDown;

    /** The end of the WAL cannot be told and the server does not start: only another clone helps. */
    boolean spoiled;
    /** Whose data is arriving, while that is so. */
    SimPostgres cloningFrom;

    int run;

    /** The highest generation under which anybody may have heard of what is there now. */
    long answeredAs;

    private final List<Rec> rewinding = new ArrayList<>();
    private boolean flushing;

    SimPostgres(SimNode node) {
        this.node = node;
        this.world = node.world;
    }

    void initdb() {
        wal.add(new Rec(1, world.newRecordId(), "initdb"));
        flushed = 1;
        empty = false;
        state = ServerState.DOWN;
    }

    static Lsn lsn(int records) {
        return new Lsn(records * STEP);
    }

    static int records(Lsn lsn) {
        return (int) (lsn.value() / STEP);
    }

    Lsn end() {
        return lsn(wal.size());
    }

    Position position() {
        return new Position(wal.getLast().timeline(), end());
    }

    boolean running() {
        return state != ServerState.EMPTY && state != ServerState.DOWN;
    }

    // ---- operations, as the shell asks for them

    void startStandby() {
        if (empty || spoiled || running()) {
            node.later(1, 2, () -> node.event(new Event.ServerFailed("cannot start")));
            return;
        }
        int mine = ++run;
        node.later(20, 60, () -> {
            if (mine == run) {
                state = ServerState.STANDBY;
                node.troubled();
                timeline = wal.getLast().timeline();
                node.event(new Event.ServerChanged(state, timeline));
            }
        });
    }

    void startPrimary() {
        if (empty || spoiled || running()) {
            node.later(1, 2, () -> node.event(new Event.ServerFailed("cannot start")));
            return;
        }
        int mine = ++run;
        state = ServerState.PRIMARY;
        timeline = wal.getLast().timeline();
        node.event(new Event.ServerChanged(state, timeline));
        node.later(20, 60, () -> {
            if (mine == run) {
                append(timeline, "end of crash recovery");
                flushed = wal.size();
                ready = true;
                visible = wal.size();
                node.event(new Event.ServerPrimaryReady(timeline, timeline, Lsn.NONE, end()));
            }
        });
    }

    void promote(int toTimeline) {
        int mine = run;
        if (state != ServerState.STANDBY) {
            node.later(1, 2, () -> node.event(new Event.ServerFailed("cannot promote")));
            return;
        }
        state = ServerState.PROMOTING;
        node.event(new Event.ServerChanged(state, timeline));
        node.later(15, 50, () -> {
            if (mine == run && state == ServerState.PROMOTING) {
                Lsn fork = end();
                int parent = wal.getLast().timeline();
                world.oracle.onTimelineBegun(node, toTimeline);
                append(toTimeline, "end of recovery");
                flushed = wal.size();
                state = ServerState.PRIMARY;
                timeline = toTimeline;
                ready = true;
                visible = wal.size();
                node.event(new Event.ServerPrimaryReady(toTimeline, parent, fork, end()));
            }
        });
    }

    /** Immediate: no shutdown record, and the unflushed tail may be lost. */
    void stop(boolean immediate) {
        int mine = ++run;
        if (immediate || !ready) {
            ended(mine);
            return;
        }
        append(timeline, "shutdown");
        flushed = wal.size();
        flushing = false;
        shuttingDown = true;
        node.relay.onFlushed();
        awaitStreams(mine, world.now + FAST_STOP_MS * SimWorld.MS);
    }

    /** A walsender ends when its receiver has confirmed all; the agent kills the server when that takes too long. */
    private void awaitStreams(int mine, long killedAt) {
        world.afterMs(0.5, 2, () -> {
            if (mine != run) {
                return;
            }
            if (node.relay.allDelivered() || world.now >= killedAt) {
                ended(mine);
            } else {
                awaitStreams(mine, killedAt);
            }
        });
    }

    private void ended(int mine) {
        loseTail();
        node.later(2, 15, () -> {
            if (mine == run) {
                node.event(new Event.ServerChanged(empty ? ServerState.EMPTY : ServerState.DOWN, 0));
            }
        });
    }

    /** The process is gone; the agent hears of it when it is there. */
    void die() {
        run++;
        node.troubled();
        if (cloningFrom != null && world.bugs.interruptedCloneIsData() && cloningFrom.flushed > 0) {
            takeFrom(cloningFrom, 1 + world.random.nextInt(cloningFrom.flushed));
        }
        loseTail();
    }

    private void loseTail() {
        if (wal.size() > flushed) {
            int keep = flushed + world.random.nextInt(wal.size() - flushed + 1);
            wal.subList(keep, wal.size()).clear();
            flushed = wal.size();
        }
        state = empty ? ServerState.EMPTY : ServerState.DOWN;
        ready = false;
        shuttingDown = false;
        flushing = false;
        timeline = 0;
        node.relay.serverGone();
        node.front.serverGone();
    }

    void wipe() {
        run++;
        node.troubled();
        wal.clear();
        flushed = 0;
        empty = true;
        spoiled = false;
        cloningFrom = null;
        rewinding.clear();
        ready = false;
        shuttingDown = false;
        flushing = false;
        state = ServerState.EMPTY;
    }

    /** A base backup: everything that the source has flushed. */
    void cloned(SimPostgres source) {
        takeFrom(source, source.flushed);
        answersAs(node.facts.generation);
    }

    /** From here to {@link #rewound} it is no data; what it was is needed to find the fork. */
    void beginRewind() {
        List<Rec> was = List.copyOf(wal);
        wipe();
        rewinding.addAll(was);
    }

    /** Cut back to the fork, and from there on as much as there is of the source's. */
    void rewound(SimPostgres source) {
        int fork = 0;
        while (fork < Math.min(rewinding.size(), source.flushed)
                && rewinding.get(fork).equals(source.wal.get(fork))) {
            fork++;
        }
        int end = Math.max(1, fork + world.random.nextInt(source.flushed - fork + 1));
        rewinding.clear();
        takeFrom(source, end);
        answersAs(node.facts.generation);
    }

    void answersAs(long generation) {
        if (!empty) {
            answeredAs = generation;
        }
    }

    private void takeFrom(SimPostgres source, int records) {
        cloningFrom = null;
        wal.clear();
        wal.addAll(source.wal.subList(0, records));
        flushed = wal.size();
        empty = false;
        state = ServerState.DOWN;
    }

    // ---- WAL

    int append(int onTimeline, String what) {
        Rec rec = new Rec(onTimeline, world.newRecordId(), what);
        world.oracle.onWritten(node, rec);
        wal.add(rec);
        return wal.size();
    }

    void receive(List<Rec> records) {
        wal.addAll(records);
        flushSoon();
    }

    void flushSoon() {
        if (flushing || flushed == wal.size()) {
            return;
        }
        flushing = true;
        int mine = run;
        world.afterMs(0.2, node.slow.atMost(SimSlowness.Part.WAL_FLUSH, world.chance(0.02) ? 30 : 2), () -> {
            if (mine == run) {
                flushing = false;
                flushed = wal.size();
                node.input(node.relay::onFlushed);
            }
        });
    }

    void sync() {
        flushed = wal.size();
    }
}
