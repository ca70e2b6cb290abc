package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The leader's care for the cluster's version: raised once every member has said of late that it reads a later one. A
 * member that is away keeps it where it is, since nobody knows with which release it comes back. Owned by the core's thread.
 */
final class VersionKeeper {
    private static final long AGAIN_NANOS = 1_000 * Context.MILLIS;
    private static final long FRESH_NANOS = 5_000 * Context.MILLIS;

    private record Told(int reads, long at) {}

    private final Context ctx;
    private final Map<PeerId, Told> told = new HashMap<>();
    private int proposed;
    private Set<PeerId> proposedFor = Set.of();
    private long proposedAt;
    private int shown = ClusterVersion.OLDEST;

    VersionKeeper(Context ctx) {
        this.ctx = ctx;
    }

    /** A new term: what an earlier one had under way is applied by now, or gone. */
    void clear() {
        told.clear();
        proposed = 0;
        proposedAt = 0;
        shown = ClusterVersion.of(ctx.state);
    }

    void onReads(NodeId from, CoordMessage.Reads said) {
        PeerId peer = new PeerId(from, said.incarnation());
        if (ctx.state.member(peer) != null) {
            told.put(peer, new Told(said.version(), ctx.now));
        }
    }

    /** It is not made again at once: what refused it may last. */
    void onFailed(Command command) {
        if (command instanceof Command.SetClusterVersion) {
            proposed = 0;
        }
    }

    /** Whoever is let in must read this: what the cluster is at, or is about to be. */
    int needed() {
        look();
        return Math.max(proposed, ClusterVersion.of(ctx.state));
    }

    /** Once the members are others, what was proposed has been applied before, or will change nothing. */
    private void look() {
        int version = ClusterVersion.of(ctx.state);
        if (proposed <= version || !members().equals(proposedFor)) {
            proposed = 0;
        }
    }

    private void tell() {
        int version = ClusterVersion.of(ctx.state);
        if (version > shown) {
            ctx.tell(
                    "cluster",
                    "the cluster is at version %d, after %d: every member's release reads it"
                            .formatted(version, shown));
            shown = version;
        }
    }

    private Set<PeerId> members() {
        Set<PeerId> members = new TreeSet<>();
        ctx.state.members().values().forEach(m -> members.add(m.peer()));
        return members;
    }

    void onTick() {
        look();
        tell();
        boolean soon = proposedAt != 0 && ctx.now - proposedAt < AGAIN_NANOS;
        if (ctx.reads <= ClusterVersion.of(ctx.state) || proposed != 0 || soon) {
            return;
        }
        told.values().removeIf(t -> ctx.now - t.at > FRESH_NANOS);
        Set<PeerId> members = members();
        Map<PeerId, Integer> reads = new HashMap<>();
        told.forEach((peer, t) -> reads.put(peer, t.reads));
        reads.put(ctx.self, ctx.reads);
        int version = ctx.rules.versionForAll(members, reads);
        if (version > ClusterVersion.of(ctx.state)) {
            proposed = version;
            proposedFor = members;
            proposedAt = ctx.now;
            ctx.add(new Action.Propose(new Command.SetClusterVersion(version, members)));
        }
    }
}
