package io.quantadb.node.front;

import io.quantadb.node.common.Lsn;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What may pass between clients and the PostgreSQL beside us, asked before every forward in either direction.
 *
 * <p>A byte that is forwarded was received from PostgreSQL before the question, so what it shows happened before it:
 * when the lease is good at the question, sending the byte late (a full socket, a paused process) makes no read stale.
 *
 * <p>Readable from any thread without locks; changes are serialised.
 */
final class Gate {
    /** The answer for one session at one moment. */
    enum Pass {
        FORWARD,
        /** Nothing passes until the lease is back, for a grace. */
        HOLD_LEASE,
        /** Results do not pass until the voice is beyond a cancelled wait. */
        HOLD_ANSWERS,
        /** The primary is about to move: no transaction begins here, those under way go on. */
        HOLD_DRAIN,
        /** A standby that is being promoted or is not ready: nothing passes until it is opened. */
        HOLD_CLOSED,
        /** This session's server is not what it was; nothing passes any more. */
        CUT
    }

    /** What passes: a client's statement, or an answer of the server. */
    enum Direction {
        STATEMENT,
        ANSWER
    }

    /**
     * The answers held back after cancelled waits. While {@code covered < seen}, some wait's position is not known yet
     * and everything is held.
     */
    record Hold(
            long epoch,
            long seen,
            long covered,
            Lsn until,
            @Nullable Supplier<Lsn> voice) {
        boolean passed() {
            return covered >= seen && (voice == null || voice.get().atLeast(until));
        }
    }

    private final LeaseView lease;
    private volatile FrontView view;
    private volatile @Nullable Hold hold;
    private volatile boolean draining;
    private volatile BooleanSupplier logReadUp = () -> true;
    private long tickets;
    /** The epoch served now or last: what was cancelled while the front is shut was cancelled in it. */
    private long servedEpoch;

    Gate(LeaseView lease, FrontView view) {
        this.lease = lease;
        this.view = view;
        this.servedEpoch = view.epoch();
    }

    FrontView view() {
        return view;
    }

    /** Publishes a view; the very next question obeys it. */
    synchronized FrontView setView(FrontView next) {
        FrontView before = view;
        view = next;
        draining &= next.mode() == FrontView.Mode.PRIMARY && next.epoch() == before.epoch();
        servedEpoch = next.mode() == FrontView.Mode.PRIMARY ? next.epoch() : servedEpoch;
        Hold current = hold;
        if (current != null && next.mode() == FrontView.Mode.PRIMARY && next.epoch() != current.epoch()) {
            // Release of a later epoch needed its first record, which lies behind all commits of this server, flushed
            hold = null;
        }
        return before;
    }

    /** Lets no transaction begin, or lets them begin again; ends by itself with the epoch that is served. */
    synchronized void setDraining(boolean drain) {
        draining = drain && view.mode() == FrontView.Mode.PRIMARY;
    }

    boolean draining() {
        return draining;
    }

    /** Holds all answers until a position is named for the ticket returned, or a later one. */
    synchronized long waitCancelled(long epoch) {
        Hold current = hold;
        long ticket = ++tickets;
        long at = epoch == 0 ? servedEpoch : epoch;
        hold = current == null
                ? new Hold(at, ticket, ticket - 1, Lsn.NONE, null)
                : new Hold(at, ticket, current.covered(), current.until(), current.voice());
        return ticket;
    }

    /** Names a position for all tickets up to {@code covered} (0: for none, only adds it). */
    synchronized void holdAnswers(long covered, Lsn until, Supplier<Lsn> voice) {
        Hold current = hold;
        hold = current == null
                ? new Hold(servedEpoch, tickets, Math.max(covered, tickets), until, voice)
                : new Hold(
                        current.epoch(),
                        current.seen(),
                        Math.max(current.covered(), covered),
                        Lsn.max(current.until(), until),
                        voice);
    }

    /** Forgets a hold that the voice has passed. */
    synchronized void settle() {
        Hold current = hold;
        if (current != null && current.passed()) {
            hold = null;
        }
    }

    /** Whom to ask, before every answer, whether the server's log has been read as far as it was written. */
    void watchLog(BooleanSupplier readUp) {
        logReadUp = readUp;
    }

    boolean leaseHeld(long epoch) {
        return lease.holds(epoch);
    }

    /** The epoch that a session belongs to from now on: one of a standby is taken over by its promotion. */
    long rebind(long boundEpoch) {
        FrontView now = view;
        return boundEpoch == 0 && now.mode() == FrontView.Mode.PRIMARY ? now.epoch() : boundEpoch;
    }

    /** Decides for a session bound to an epoch, or to none (0) while this node is a standby. */
    Pass decide(long boundEpoch, Direction direction) {
        // Asked before the hold is looked at: what the log told until now has been put there.
        boolean sure = direction == Direction.STATEMENT || logReadUp.getAsBoolean();
        Pass pass = decide(view, boundEpoch, direction, lease, hold);
        return pass == Pass.FORWARD && !sure && view.mode() == FrontView.Mode.PRIMARY ? Pass.HOLD_ANSWERS : pass;
    }

    static Pass decide(FrontView view, long boundEpoch, Direction direction, LeaseView lease, @Nullable Hold hold) {
        return switch (view.mode()) {
            case CLOSED -> boundEpoch == 0 ? Pass.HOLD_CLOSED : Pass.CUT;
            case STANDBY -> boundEpoch == 0 ? Pass.FORWARD : Pass.CUT;
            case PRIMARY -> {
                if (boundEpoch != 0 && boundEpoch != view.epoch()) {
                    yield Pass.CUT;
                }
                if (!lease.holds(view.epoch())) {
                    yield Pass.HOLD_LEASE;
                }
                yield direction == Direction.ANSWER && hold != null && !hold.passed()
                        ? Pass.HOLD_ANSWERS
                        : Pass.FORWARD;
            }
        };
    }
}
