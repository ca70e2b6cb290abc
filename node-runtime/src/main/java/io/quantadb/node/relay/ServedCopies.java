package io.quantadb.node.relay;

import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams.Verdict;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The base backups among the served streams: whose turn it is, which of them stand still, and how many there were.
 * Confined to the relay's loop.
 */
final class ServedCopies {
    private static final Logger LOGGER = LoggerFactory.getLogger(ServedCopies.class);

    private final BackupCounts counts = new BackupCounts();
    private final CopyTurns turns;
    private final Map<ServedStream, CopyTurns.Turn> running = new HashMap<>();
    private Set<NodeId> readReplicas = Set.of();

    ServedCopies(RelayContext context) {
        this.turns = new CopyTurns(context.clock());
    }

    /** Who neither votes nor acknowledges, and so makes nobody wait who does. */
    void readReplicas(Set<NodeId> members) {
        readReplicas = members;
    }

    /** One more is asked for. */
    Verdict asked(Verdict verdict) {
        return counts.asked(verdict);
    }

    /** Null when it is not the member's turn. */
    CopyTurns.@Nullable Turn turn(MemberRef member) {
        return turns.ask(member, readReplicas.contains(member.node()));
    }

    /** Why it is not, for the member. */
    String whyNot(NodeId member) {
        return turns.inFront(member, readReplicas.contains(member)) + "; one at a time";
    }

    /** It runs from now on; false when its turn is over, since the member has asked anew. */
    boolean begin(ServedStream stream, CopyTurns.Turn turn) {
        if (turn.lasts()) {
            running.put(stream, turn);
            return true;
        }
        neverRan(turn);
        return false;
    }

    /** It was let in and did not come to run. */
    void neverRan(CopyTurns.Turn turn) {
        turn.end();
        counts.ended(null);
    }

    /** The next may begin: what is left to do is the member's own disk's. */
    void onCopied(ServedStream stream) {
        CopyTurns.Turn turn = running.get(stream);
        if (turn != null) {
            turn.end();
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.PEER, stream.header().member().node())
                    .addKeyValue(LogKeys.GENERATION, stream.header().member().generation())
                    .log("member was sent all of its base backup");
        }
    }

    void onEnded(ServedStream stream) {
        CopyTurns.Turn turn = running.remove(stream);
        if (turn != null) {
            turn.end();
            counts.ended(stream.backup());
        }
    }

    /** Those that have not moved for longer than they may. */
    List<ServedStream> still() {
        return running.keySet().stream().filter(ServedStream::standsStill).toList();
    }

    RelaySnapshot.Backups view() {
        return counts.view(
                running.keySet().stream().filter(s -> s.backup().begun()).count());
    }

    List<RelaySnapshot.Copy> turns() {
        return turns.view();
    }
}
