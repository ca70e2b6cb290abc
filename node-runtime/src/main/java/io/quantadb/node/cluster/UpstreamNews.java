package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What members that feed others, or are fed, have said of it. A node that is silent for {@value #SILENT_MS} ms counts for
 * nothing, whatever it said before: one that lives says something four times a second.
 */
final class UpstreamNews {
    private static final long SILENT_MS = 3_000;

    private final Context ctx;
    private final Map<NodeId, CoordMessage.Follows> told = new HashMap<>();

    UpstreamNews(Context ctx) {
        this.ctx = ctx;
    }

    void onTold(NodeId from, CoordMessage.Follows news) {
        told.put(from, news);
        told.keySet().retainAll(ctx.state.members().keySet());
    }

    /** The last that it said, while it is not silent and a member; else null. */
    CoordMessage.@Nullable Follows of(NodeId node) {
        CoordMessage.Follows news = told.get(node);
        boolean lives = ctx.silenceNanos(node) < ctx.stretched(SILENT_MS * Context.MILLIS);
        return news != null && lives && ctx.state.member(node) != null ? news : null;
    }

    /** Whether it lets those that are to stream from it do so in the present epoch. */
    boolean feeds(NodeId node) {
        CoordMessage.Follows news = of(node);
        return news != null && news.feeds() == ctx.state.epoch();
    }

    /** Whether it has flushed all up to there. */
    boolean has(NodeId node, Lsn upTo) {
        CoordMessage.Follows news = of(node);
        return news != null && news.flushed().atLeast(upTo);
    }
}
