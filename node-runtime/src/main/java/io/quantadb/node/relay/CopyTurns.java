package io.quantadb.node.relay;

import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whose turn it is to copy this node's data: one voter's at a time and, beside it, one read replica's. A voter waits for
 * voters alone; a read replica begins when no voter is copied or waits.
 *
 * <pre>
 *   asks -> has the turn -> {@link Turn#end}: copied, broken off, or standing still -> the one that waits longest
 *        -> is refused, waits, and asks again soon; {@value #FORGOTTEN_MS} ms after it last asked it waits no more
 * </pre>
 *
 * <p>A member that asks while it has the turn has given its older copy up, and gets the turn anew. Confined to the relay's
 * loop.
 */
final class CopyTurns {
    /** Several times longer than a member's pause between two tries. */
    static final long FORGOTTEN_MS = 3_000;

    private static final Logger LOGGER = LoggerFactory.getLogger(CopyTurns.class);
    private static final long FORGOTTEN_NANOS = TimeUnit.MILLISECONDS.toNanos(FORGOTTEN_MS);

    private final MonotonicClock clock;
    /** In the order in which they first asked. */
    private final Map<NodeId, Waiting> waiting = new LinkedHashMap<>();

    private @Nullable Turn voter;
    private @Nullable Turn replica;

    /** The right to copy, from the asking to the last byte. */
    final class Turn {
        private final NodeId member;
        private final long sinceNanos;

        private Turn(NodeId member, long sinceNanos) {
            this.member = member;
            this.sinceNanos = sinceNanos;
        }

        /** Whether nothing has ended it, a newer turn of the same member included. */
        boolean lasts() {
            return this == voter || this == replica;
        }

        /** Any number of times. */
        void end() {
            if (this == voter) {
                voter = null;
            } else if (this == replica) {
                replica = null;
            }
        }

        private String words() {
            return "is being copied, since %d s".formatted(seconds(sinceNanos));
        }
    }

    private record Waiting(boolean readReplica, long askedNanos) {}

    CopyTurns(MonotonicClock clock) {
        this.clock = clock;
    }

    /** Null when it is not its turn; {@link #inFront} tells why. */
    @Nullable
    Turn ask(MemberRef asking, boolean readReplica) {
        NodeId member = asking.node();
        giveUp(member);
        forget();
        String inFront = inFront(member, readReplica);
        if (!inFront.isEmpty()) {
            if (waiting.put(member, new Waiting(readReplica, clock.nanos())) == null) {
                LOGGER.atInfo()
                        .addMarker(LogKeys.REPLICATION)
                        .addKeyValue(LogKeys.PEER, member)
                        .addKeyValue(LogKeys.GENERATION, asking.generation())
                        .addKeyValue(LogKeys.REASON, inFront)
                        .log("member waits for its turn to take a base backup");
            }
            return null;
        }
        waiting.remove(member);
        Turn turn = new Turn(member, clock.nanos());
        if (readReplica) {
            replica = turn;
        } else {
            voter = turn;
        }
        return turn;
    }

    private void giveUp(NodeId member) {
        if (voter != null && voter.member.equals(member)) {
            voter = null;
        }
        if (replica != null && replica.member.equals(member)) {
            replica = null;
        }
    }

    private void forget() {
        long now = clock.nanos();
        waiting.values().removeIf(w -> now - w.askedNanos() > FORGOTTEN_NANOS);
    }

    /** Whom that member must wait for, in words; empty for nobody. */
    String inFront(NodeId member, boolean readReplica) {
        Turn other = voter != null ? voter : readReplica ? replica : null;
        if (other != null) {
            return "%s %s".formatted(other.member, other.words());
        }
        NodeId next = next(readReplica);
        return next == null || next.equals(member) ? "" : "%s is next".formatted(next);
    }

    /** The voter that waits longest or, where none does, the read replica that does. */
    private @Nullable NodeId next(boolean readReplica) {
        NodeId found = null;
        for (Map.Entry<NodeId, Waiting> one : waiting.entrySet()) {
            if (!one.getValue().readReplica()) {
                return one.getKey();
            }
            found = found == null && readReplica ? one.getKey() : found;
        }
        return found;
    }

    /** Who is being copied, and who waits for whom. */
    List<RelaySnapshot.Copy> view() {
        forget();
        List<RelaySnapshot.Copy> out = new ArrayList<>();
        for (Turn turn : new Turn[] {voter, replica}) {
            if (turn != null) {
                out.add(new RelaySnapshot.Copy(turn.member, true, turn.words()));
            }
        }
        waiting.forEach((node, w) -> {
            String inFront = inFront(node, w.readReplica());
            out.add(new RelaySnapshot.Copy(
                    node, false, inFront.isEmpty() ? "waits for its turn" : "waits for its turn: " + inFront));
        });
        return out;
    }

    private long seconds(long sinceNanos) {
        return TimeUnit.NANOSECONDS.toSeconds(clock.nanos() - sinceNanos);
    }
}
