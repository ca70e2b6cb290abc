package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How far the primary's voice may acknowledge: the pure calculation behind {@code Voice(p,x)} and {@code sat(R,x)} of
 * the protocol, shared by the relay and the simulation.
 *
 * <ol>
 *   <li>Without a valid lease, or with a promise above the permit's epoch, nothing new is reported.
 *   <li>Of each half of the permit (the rule, and the next one while joint) take, for every distinct member of its set
 *       in exactly that generation, the best position among its checked streams of the permit's epoch; the primary
 *       itself, where an old rule still lists it, has its own flush. A node counts once, however many streams it has.
 *   <li>The k-th highest of these satisfies the half; with k = 0 the half asks for nothing beyond the primary's own
 *       flush.
 *   <li>The report is the lowest of both halves and of the own flush bound, and never less than the one before.
 * </ol>
 *
 * <p>The own flush bound is in every report, not only where k = 0: PostgreSQL remembers the highest position of its
 * run, so that a single report beyond its own flush would end all waiting until it is started again.
 */
public final class VoiceRule {
    private VoiceRule() {}

    /**
     * What one checked stream has shown: positions already capped by what that stream delivered or the start that the
     * divergence check confirmed.
     */
    public record Seen(MemberRef member, long epoch, Lsn flushed, Lsn applied) {}

    /** What the voice reports: written and flushed, and applied. */
    public record Report(Lsn flushed, Lsn applied) {
        public static final Report NOTHING = new Report(Lsn.NONE, Lsn.NONE);
    }

    /**
     * The next report.
     *
     * @param promise the highest epoch below which this node never relays again
     * @param leaseValid whether the lease of the permit's epoch holds now
     * @param seen open checked streams, of any epoch; those of another epoch do not count
     * @param ownFlush a position that this run of the primary's server has certainly flushed
     * @param before the report before this one, in the same run of the server
     */
    public static Report next(
            VoicePermit permit, long promise, boolean leaseValid, Collection<Seen> seen, Lsn ownFlush, Report before) {
        if (!leaseValid || promise > permit.epoch()) {
            return before;
        }
        Map<MemberRef, Lsn> flushed = new HashMap<>();
        Map<MemberRef, Lsn> applied = new HashMap<>();
        for (Seen one : seen) {
            if (one.epoch() == permit.epoch()) {
                flushed.merge(one.member(), one.flushed(), Lsn::max);
                applied.merge(one.member(), one.applied(), Lsn::max);
            }
        }
        return new Report(
                Lsn.max(before.flushed(), position(permit, flushed, ownFlush)),
                Lsn.max(before.applied(), position(permit, applied, ownFlush)));
    }

    /** Whether some half asks for nobody but the primary, so that its own flush must be known as it moves. */
    public static boolean needsOwnFlush(VoicePermit permit) {
        Rule next = permit.nextRule();
        return permit.rule().k() == 0 || (next != null && next.k() == 0);
    }

    /**
     * The highest position that both halves of the permit have, and never beyond the primary's own flush; {@link
     * Lsn#NONE} when nothing may be reported.
     *
     * @param flushed by member, of checked streams of the permit's epoch only, already capped by what was delivered
     */
    public static Lsn position(VoicePermit permit, Map<MemberRef, Lsn> flushed, Lsn ownFlush) {
        Lsn first = allows(permit.rule(), permit.self(), flushed, ownFlush);
        Rule next = permit.nextRule();
        return next == null ? first : Lsn.min(first, allows(next, permit.self(), flushed, ownFlush));
    }

    /** What one half allows. */
    static Lsn allows(Rule rule, MemberRef self, Map<MemberRef, Lsn> flushed, Lsn ownFlush) {
        if (rule.k() == 0) {
            return ownFlush;
        }
        Map<NodeId, Lsn> byNode = new HashMap<>();
        for (MemberRef member : rule.set()) {
            Lsn at = member.equals(self) ? ownFlush : flushed.get(member);
            if (at != null) {
                byNode.merge(member.node(), at, Lsn::max);
            }
        }
        if (byNode.size() < rule.k()) {
            return Lsn.NONE;
        }
        List<Lsn> descending = new ArrayList<>(byNode.values());
        descending.sort(Comparator.reverseOrder());
        return Lsn.min(ownFlush, descending.get(rule.k() - 1));
    }
}
