package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.Map;

/**
 * What is different about a failover in mode {@code async} (action C of protocol.md): nobody but the primary acknowledged, so
 * no answer is owed to anyone's commit. Whoever was reached and holds data is asked, so that as little as possible is lost, and
 * waited for no longer than a bound: one may die in between, or be copying from the very primary that is gone.
 */
final class AsyncFailover {
    private static final long WAIT_NANOS = 1_000 * Context.MILLIS;

    private final Context ctx;
    private final Reports reports;

    AsyncFailover(Context ctx, Reports reports) {
        this.ctx = ctx;
        this.reports = reports;
    }

    /** Whether the failover from here would be one: nobody acknowledges beside the primary, by the operator's choice. */
    boolean applies() {
        return ctx.rules.mayLoseByItself(ctx.state);
    }

    /** Whose answer is asked for. */
    boolean asks(NodeId node, Map<NodeId, LocalStatus> probes) {
        Member m = ctx.state.member(node);
        return m != null && m.dataVoter() && probes.containsKey(node);
    }

    /** @param since when the first was asked */
    boolean answered(Map<NodeId, LocalStatus> probes, Map<NodeId, CoordMessage.FreezeReply> answers, long since) {
        boolean able = answers.keySet().stream().anyMatch(n -> Candidates.eligible(ctx, n, reports.latest(n, probes)));
        boolean all = probes.keySet().stream()
                .filter(n -> asks(n, probes) && hasData(n, probes))
                .allMatch(answers::containsKey);
        return able && ctx.rules.heardOut(all, ctx.now - since >= ctx.stretched(WAIT_NANOS));
    }

    private boolean hasData(NodeId node, Map<NodeId, LocalStatus> probes) {
        LocalStatus status = reports.latest(node, probes);
        return status != null && status.server() != ServerState.EMPTY;
    }

    /** What people must know of it, since nothing else tells how much it may be. */
    String loss(Position chosen) {
        NodeId primary = ctx.state.primary();
        Reports.Known last = primary == null ? null : reports.lastKnown(primary);
        long behind = last == null ? 0 : last.status().flushed().minus(chosen.lsn());
        String known = behind > 0
                ? "; it was known to have written %d bytes more".formatted(behind)
                : "; it was not known to have written more";
        return "mode async: what %s acknowledged beyond %s of timeline %d is lost%s"
                .formatted(primary, chosen.lsn(), chosen.timeline(), known);
    }
}
