package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.List;

/**
 * Where one switchover stands, as the leader tells every member.
 *
 * @param id the request's
 * @param from the primary that is to give way
 * @param to who is to be primary
 * @param epoch the epoch that is to end; once {@link Phase#PROMOTING} is over, the one that began
 * @param words what is waited for, or why it ended so; may be empty
 * @param gapMillis from the moment that new transactions were held back until the primary, whichever it is then, served
 *     again, or until now while that lasts; -1 when nothing was held back, or nobody measured it
 * @param tookMillis since the leader was asked
 * @param steps what the time went into, in the order in which it was over; empty before the first
 */
public record SwitchoverReport(
        long id,
        Phase phase,
        NodeId from,
        NodeId to,
        long epoch,
        String words,
        long gapMillis,
        long tookMillis,
        List<Step> steps) {
    static final int STEPS_MAX = 32;

    public SwitchoverReport {
        steps = List.copyOf(steps);
    }

    /** Without steps. */
    public SwitchoverReport(
            long id, Phase phase, NodeId from, NodeId to, long epoch, String words, long gapMillis, long tookMillis) {
        this(id, phase, from, to, epoch, words, gapMillis, tookMillis, List.of());
    }

    /**
     * One step, as long as the leader saw it last: what it hears of arrives late by a message.
     *
     * @param name one of {@link SwitchoverTeller}'s
     */
    public record Step(String name, long millis) {}

    /** In their order, as far as a switchover comes. Values are only ever added at the end. */
    public enum Phase {
        /** The primary writes a checkpoint, and the heir comes close: clients notice nothing. */
        PREPARING,
        /** New transactions are held back, those under way go on. */
        HOLDING,
        /** The primary is fenced and its server stops, the heir's stream open. */
        STOPPING,
        /** The heir is promoted; held clients find it once it serves. */
        PROMOTING,
        /** The heir did not get the last of the WAL: the old primary starts again, as it was. */
        RETURNING,
        DONE,
        /** Begun and given up; the words say who is primary. */
        ABORTED
    }

    /** Whether nothing more will come of it. */
    public boolean over() {
        return phase == Phase.DONE || phase == Phase.ABORTED;
    }
}
