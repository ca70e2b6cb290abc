package io.quantadb.node.sim;

import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.Lsn;
import java.util.ArrayDeque;
import java.util.Deque;

/** The front of one node: takes writes while it is open under the lease, and asks the lease again when it answers. */
final class SimFront {
    private final SimNode node;
    private final SimWorld world;
    private long openEpoch;
    private long leaseEpoch;
    private long leaseUntil;
    private Lsn holdUntil = Lsn.NONE;
    /** Record counts at which a client's commit waits. */
    private final Deque<Integer> waiting = new ArrayDeque<>();
    /** The round of the switchover for which nothing begins; 0 for none. */
    private long draining;

    SimFront(SimNode node) {
        this.node = node;
        this.world = node.world;
    }

    @Override
    public String toString() {
        return " front open in %d, lease in %d for %d ms, draining %d, holds to %s, voice %s, %d wait"
                .formatted(
                        openEpoch,
                        leaseEpoch,
                        (leaseUntil - node.local()) / SimWorld.MS,
                        draining,
                        holdUntil,
                        node.relay.voice,
                        waiting.size());
    }

    void crash() {
        openEpoch = 0;
        leaseEpoch = 0;
        leaseUntil = 0;
        holdUntil = Lsn.NONE;
        waiting.clear();
        draining = 0;
    }

    /** Nothing begins, and it is told when nothing is under way. */
    void drain(long round) {
        draining = round;
        tellDrained();
        // One that is shut lets nothing begin as it is, and opens for another epoch as new.
        draining = openEpoch == 0 ? 0 : round;
    }

    void resume() {
        draining = 0;
    }

    private void tellDrained() {
        long round = draining;
        if (round != 0 && waiting.isEmpty()) {
            node.later(0.1, 2, () -> node.event(new Event.FrontDrained(round)));
        }
    }

    void open(long epoch) {
        draining = epoch == openEpoch ? draining : 0;
        openEpoch = epoch;
    }

    void close() {
        openEpoch = 0;
        waiting.clear();
        draining = 0;
    }

    void serverGone() {
        waiting.clear();
        holdUntil = Lsn.NONE;
    }

    void lease(long epoch, long until) {
        leaseEpoch = epoch;
        leaseUntil = until;
    }

    void hold(Lsn until) {
        holdUntil = Lsn.max(holdUntil, until);
    }

    boolean leaseHeld(long epoch) {
        return leaseEpoch == epoch && leaseUntil > node.local();
    }

    boolean serving() {
        return node.running() && openEpoch != 0 && leaseHeld(openEpoch) && node.pg.ready;
    }

    long epoch() {
        return openEpoch;
    }

    void write() {
        if (serving() && draining == 0) {
            waiting.add(node.pg.append(node.pg.timeline, "commit"));
            node.pg.flushSoon();
        }
    }

    /** A client reads: everything that is visible is shown. */
    void read() {
        if (serving() && draining == 0 && node.relay.voice.atLeast(holdUntil)) {
            int shown = Math.max(node.pg.visible, SimPostgres.records(node.relay.voice));
            world.oracle.onShown(node, openEpoch, Math.min(shown, node.pg.wal.size()));
        }
    }

    void onVoice() {
        int upTo = SimPostgres.records(node.relay.voice);
        node.pg.visible = Math.max(node.pg.visible, Math.min(upTo, node.pg.wal.size()));
        while (!waiting.isEmpty() && waiting.peek() <= upTo) {
            int at = waiting.remove();
            if (serving() && node.relay.voice.atLeast(holdUntil)) {
                world.oracle.onShown(node, openEpoch, at);
                world.oracle.acknowledged++;
            }
        }
        tellDrained();
    }

    /** A waiting commit is cancelled: visible from now on, and no answer leaves until the voice has passed it. */
    void cancelWait() {
        if (serving() && !waiting.isEmpty()) {
            int at = waiting.removeLast();
            node.pg.visible = Math.max(node.pg.visible, at);
            hold(SimPostgres.lsn(at));
            node.event(new Event.WaitCancelled(SimPostgres.lsn(at)));
        }
    }
}
