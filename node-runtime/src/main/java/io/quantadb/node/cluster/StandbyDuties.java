package io.quantadb.node.cluster;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a node that is not the primary must do, whatever it was before: stop a server that is out of recovery at once
 * (a fast stop would write a record beyond the fork), compare the end of its WAL with the epoch history, and then
 * follow the primary, rewind to it, or throw its data away and clone: the rungs of the rejoin ladder, one at a time.
 *
 * <p>Data is thrown away only under a released epoch that this node has not promised to leave, and only when the state
 * that condemns it knows the timeline that it ends on: a node that restarts with an old state must not destroy what a
 * newer one needs.
 */
final class StandbyDuties {
    /** So many readings in a row without a sure end, and the data is as good as lost. */
    private static final int UNSURE_MAX = 20;

    /** Much longer than a release takes, and shorter than {@link BarredEpoch} waits before it tries another primary. */
    private static final long UNRELEASED_NANOS = 2_000 * Context.MILLIS;

    /** Not at each of the receiver's tries: what the server has seen may come back with what it fetches. */
    private static final long STRAYED_AGAIN_NANOS = 5_000 * Context.MILLIS;

    /** So often in a row has the primary said that WAL is gone: no error of a moment, as when a file is being renamed. */
    private static final int WAL_REMOVED_MAX = 3;

    private final Context ctx;
    private final ServerSupervisor server;
    private final UpstreamChoice choice;
    private @Nullable NodeId upstream;
    /** Where that was reached when it was begun to follow it. */
    private @Nullable HostPort upstreamAt;

    private long followEpoch;
    private long closedBelow;
    private long closingBelow;
    private boolean streaming;
    private Lsn delivered = Lsn.NONE;
    private Lsn flushed = Lsn.NONE;
    private Lsn replayed = Lsn.NONE;
    private long generationAsked;
    private @Nullable FetchOrder fetch;
    private long epochSeen;
    private long epochSince;
    private int walRemoved;
    /** When the server was last started anew since it asked for a timeline of another branch. */
    private long strayedAt = Long.MIN_VALUE / 2;
    /** The generation that an operator wants thrown away, 0 for none. */
    private long condemned;
    /** The number of the last order to restart. */
    private long restarted;

    /** A candidate's order to fetch, frozen, what it lacks. */
    private record FetchOrder(NodeId leader, CoordMessage.Fetch order) {}

    StandbyDuties(Context ctx, ServerSupervisor server, UpstreamChoice choice) {
        this.ctx = ctx;
        this.server = server;
        this.choice = choice;
    }

    long closedBelow() {
        return closedBelow;
    }

    Lsn replayed() {
        return replayed;
    }

    Lsn flushed() {
        return flushed;
    }

    /** The epoch of the checked stream that is open now, or 0. */
    long streamingEpoch() {
        return streaming ? followEpoch : 0;
    }

    /** Whom it follows; null for nobody. */
    @Nullable
    NodeId upstream() {
        return upstream;
    }

    /** Whether the checked stream that is open now comes from that node. */
    boolean streamsFrom(@Nullable NodeId node) {
        return streaming && upstream != null && upstream.equals(node);
    }

    boolean following() {
        return upstream != null;
    }

    // ---- what must be so

    void reconcile() {
        Member me = ctx.me();
        ClusterState s = ctx.state;
        if (epochSeen != s.epoch()) {
            epochSeen = s.epoch();
            epochSince = ctx.now;
            walRemoved = 0;
            condemned = 0;
        }
        if (me == null || me.kind() == MemberKind.WITNESS || ctx.primaryIsMe()) {
            return;
        }
        boolean frozen = ctx.promise > s.epoch();
        if (ctx.rules.mayStopFenced(s, me) && (!frozen || me.fence() == Fence.STOPPED)) {
            server.stopFenced(server.state() == ServerState.STANDBY);
            return;
        }
        switch (server.state()) {
            case PRIMARY, PROMOTING -> {
                if (server.stop(true)) {
                    ctx.tell("failover", "stops its server, since another node is primary of epoch " + s.epoch());
                }
            }
            case EMPTY -> replaceData(s);
            case DOWN -> whenDown(s);
            case STANDBY -> whenStandby(s);
        }
    }

    private void whenDown(ClusterState s) {
        if (!server.idle()) {
            return;
        }
        Position end = server.position();
        if (end == null) {
            if (server.unsure() >= UNSURE_MAX) {
                replaceData(s);
            } else {
                server.needPosition();
            }
        } else if (onBranch(s, end) && !outOfReach(s) && !condemned(s)) {
            server.startStandby();
        } else {
            replaceData(s);
        }
    }

    private void whenStandby(ClusterState s) {
        NodeId primary = s.primary();
        boolean frozen = ctx.promise > s.epoch();
        if (frozen || primary == null || !server.idle()) {
            return;
        }
        if (outOfReach(s)) {
            if (server.stop(true)) {
                ctx.tell("replication", "the primary has not got the WAL any more that comes next here");
            }
            return;
        }
        if (condemned(s)) {
            if (server.stop(true)) {
                ctx.tell("replication", "an operator wants its data copied anew");
            }
            return;
        }
        NodeId from = choice.from(primary);
        if (followEpoch == s.epoch() && from.equals(upstream)) {
            if (!Objects.equals(upstreamAt, address(from))) {
                // It has moved: followed anew, at its new address.
                leaveUpstream();
            }
            return;
        }
        if (followEpoch == s.epoch() && upstream != null) {
            // In the same epoch, where nothing has to be closed: what it was given is compared, and it goes on from
            // there.
            leaveUpstream();
            return;
        }
        if (upstream != null || closedBelow < s.epoch()) {
            closeBelow(s.epoch());
            return;
        }
        Position end = server.position();
        if (end == null) {
            server.needPosition();
        } else if (onBranch(s, end)) {
            if (choice.hasAll(from, end.lsn())) {
                follow(from, s.epoch(), end);
            }
        } else if (mayDiscard(s)) {
            server.stop(true);
        }
    }

    /** Asked once for each epoch. */
    void closeBelow(long epoch) {
        if (closingBelow < epoch) {
            closingBelow = epoch;
            ctx.add(new Action.CloseStreamsBelow(epoch));
        }
    }

    private @Nullable HostPort address(NodeId node) {
        Member m = ctx.state.member(node);
        return m == null ? null : m.addresses().replication();
    }

    private void follow(NodeId primary, long epoch, Position end) {
        upstream = primary;
        upstreamAt = address(primary);
        followEpoch = epoch;
        streaming = false;
        delivered = end.lsn();
        flushed = end.lsn();
        server.walMayGrow();
        ctx.add(new Action.Follow(primary, epoch, ctx.generation, end));
    }

    private boolean onBranch(ClusterState s, Position end) {
        return ctx.rules.onBranch(s.history(), s.timeline(), end);
    }

    /**
     * Whether this node can only clone, since the primary of this epoch has removed the WAL between them. Its data are a
     * part of the primary's, as those of a member that is far behind; the new generation counts for nothing of the old.
     */
    private boolean outOfReach(ClusterState s) {
        return walRemoved >= WAL_REMOVED_MAX && mayDiscard(s);
    }

    /**
     * Whether the leader has asked for a copy, for an operator: of this generation, and in this epoch, since the leader
     * has looked who else can acknowledge in it.
     */
    private boolean condemned(ClusterState s) {
        return condemned != 0 && condemned == ctx.generation && s.released() && mayDiscard(s);
    }

    /** Whether the state that this node knows may condemn its data. */
    private boolean mayDiscard(ClusterState s) {
        Position end = server.position();
        boolean known = end == null || end.timeline() <= s.lastTimeline();
        // Before the release, R and the last released primary hold what was acknowledged; nobody else's data is needed.
        boolean needed = ctx.self.node().equals(s.releasedPrimary());
        boolean holdsNothing = (!s.rule().set().contains(ctx.ref()) || spared(s)) && !needed;
        boolean nothingToLose = server.state() == ServerState.EMPTY || holdsNothing;
        return (s.released() || nothingToLose) && ctx.promise <= s.epoch() && known && ctx.leaderId != null;
    }

    /**
     * Whether R can do without this member's data while an epoch stays unreleased. Where R asks for k > 1, it, and the
     * last released primary, may each have ended on a branch of their own, so that no primary would ever find somebody
     * to release its epoch. The first k - 1 of R may give way then: the |S| - k + 1 others are still enough to answer a
     * freeze, and one of them holds all that was acknowledged. The choice hangs on R alone, which does not change
     * before a release, so that never more than k - 1 go, however many epochs are tried.
     */
    private boolean spared(ClusterState s) {
        boolean stuck = ctx.now - epochSince >= UNRELEASED_NANOS;
        return stuck && s.rule().set().headSet(ctx.ref()).size() < s.rule().k() - 1;
    }

    private void replaceData(ClusterState s) {
        NodeId primary = s.primary();
        Member me = ctx.me();
        // One at a time: of two that are made durable at once, the one that ends last would be this node's.
        boolean asked = generationAsked > ctx.generation;
        if (primary == null || me == null || asked || !mayDiscard(s) || !server.idle()) {
            return;
        }
        Lsn fork = divergedAt(s);
        long next = ctx.rules.nextGeneration(!fork.isNone(), ctx.generation, me.generation());
        if (generationAsked < next) {
            generationAsked = next;
            ctx.tell("replication", fork.isNone() ? cloning(next) : rewinding(next, fork));
            ctx.add(new Action.PersistGeneration(next));
        }
    }

    private String cloning(long next) {
        return "%s, as generation %d"
                .formatted(
                        server.state() == ServerState.EMPTY
                                ? "has no data that counts, and clones"
                                : "throws its data away and clones",
                        next);
    }

    private String rewinding(long next, Lsn fork) {
        Position end = server.position();
        return "its WAL ends at %s of timeline %d, and only up to %s is it the primary's: rewinds, as generation %d"
                .formatted(end == null ? "" : end.lsn(), end == null ? 0 : end.timeline(), fork, next);
    }

    /**
     * Up to where this node's data is the primary's, where it has WAL of its own beyond: the one case in which a rewind
     * helps. {@link Lsn#NONE} where it does not: nothing is there, nothing is known of it, it lacks only what comes next,
     * or an operator wants a copy.
     */
    private Lsn divergedAt(ClusterState s) {
        Position end = server.position();
        if (server.state() != ServerState.DOWN || end == null || condemned(s) || onBranch(s, end)) {
            return Lsn.NONE;
        }
        return EpochHistory.commonUpTo(s.history(), s.timeline(), end);
    }

    void onGenerationPersisted(long generation) {
        ClusterState s = ctx.state;
        Lsn fork = divergedAt(s);
        Position end = server.position();
        boolean distrusted = condemned(s);
        ctx.generation = generation;
        walRemoved = 0;
        condemned = 0;
        NodeId primary = s.primary();
        if (primary == null || ctx.primaryIsMe()) {
            return;
        }
        forget();
        ctx.add(new Action.StopFollowing());
        if (end == null || fork.isNone()) {
            server.cloneFrom(primary, s.epoch(), generation, distrusted);
        } else {
            server.rewindTo(primary, s.epoch(), generation, end, fork);
        }
    }

    /** Untouched data are judged anew, by the epoch of now; others count for nothing and are cloned, the next rung. */
    void onRewindFailed(String what, boolean untouched) {
        if (server.onRewindFailed(untouched)) {
            String means = untouched
                    ? "has not rewound, its data are what they were: "
                    : "cannot rewind, and clones instead: ";
            ctx.tell("replication", means + what);
        }
    }

    /** Not a standby any more: nothing is followed. */
    void forget() {
        upstream = null;
        followEpoch = 0;
        streaming = false;
    }

    // ---- what happens

    void onStreamsClosedBelow(long epoch) {
        closedBelow = Math.max(closedBelow, epoch);
        if (followEpoch < epoch && upstream != null) {
            forget();
            server.walMayGrow();
        }
    }

    void onStreamOpened(NodeId from, long epoch) {
        if (from.equals(upstream)) {
            streaming = epoch == followEpoch;
        }
    }

    void onStreamClosed(Event.StreamClosed closed) {
        if (closed.epoch() == followEpoch && closed.upstream().equals(upstream)) {
            streaming = false;
            choice.onBroken(closed.upstream(), closed.reason());
        }
    }

    void onDiscard(CoordMessage.Discard order) {
        boolean current = order.term() >= ctx.term && order.epoch() == ctx.state.epoch();
        if (current && order.generation() == ctx.generation) {
            condemned = order.generation();
        }
    }

    /** Stops it in order; what starts a standby that is down does the rest. Not while it is frozen for a later epoch. */
    void onRestart(CoordMessage.RestartServer order) {
        boolean current = order.term() >= ctx.term && order.epoch() == ctx.state.epoch() && !ctx.primaryIsMe();
        boolean rests = server.state() == ServerState.STANDBY && server.idle() && ctx.promise <= order.epoch();
        if (current && rests && order.number() > restarted && server.stop(false)) {
            restarted = order.number();
            ctx.tell("cluster", "restarts its server, as asked");
        }
    }

    /** Only what the primary has not got any more is gone. */
    void onWalRemoved(NodeId from, long epoch) {
        if (epoch != followEpoch || epoch != ctx.state.epoch() || !from.equals(upstream)) {
            return;
        }
        if (from.equals(ctx.state.primary())) {
            walRemoved++;
        } else {
            choice.onBroken(from, "it has not got the WAL any more that comes next here");
        }
    }

    /**
     * Its server has seen a timeline begin, of an epoch that ended before a record of it came here, and will ask for no
     * other until it is started anew.
     */
    void onTimelineRefused(long epoch, int timeline) {
        ClusterState s = ctx.state;
        boolean current = epoch == followEpoch && epoch == s.epoch() && ctx.promise <= epoch;
        boolean due =
                ctx.now - strayedAt >= STRAYED_AGAIN_NANOS && server.state() == ServerState.STANDBY && server.idle();
        boolean astray = timeline <= s.lastTimeline() && !EpochHistory.goesThrough(s.history(), s.timeline(), timeline);
        if (current && due && astray && server.stop(true)) {
            strayedAt = ctx.now;
            ctx.tell(
                    "replication",
                    "starts its server anew: it asks for timeline %d, which the primary's %d has not gone through"
                            .formatted(timeline, s.timeline()));
        }
    }

    /** Its end of WAL is read anew before it follows again. */
    void onStartUnvouched(long epoch) {
        if (epoch == followEpoch && upstream != null) {
            leaveUpstream();
        }
    }

    private void leaveUpstream() {
        ctx.add(new Action.StopFollowing());
        forget();
        server.walMayGrow();
        server.needPosition();
    }

    void onProgress(Event.ReceiverProgress p) {
        if (p.epoch() == followEpoch && upstream != null) {
            if (p.delivered().compareTo(delivered) > 0) {
                walRemoved = 0;
            }
            delivered = Lsn.max(delivered, p.delivered());
            flushed = Lsn.max(flushed, Lsn.min(p.flushed(), delivered));
        }
        replayed = p.replayed();
        FetchOrder f = fetch;
        if (f != null
                && p.epoch() == f.order.epoch()
                && p.flushed().atLeast(f.order.target().lsn())) {
            ctx.add(new Action.StopFollowing());
            forget();
            server.walMayGrow();
            server.needPosition();
        }
    }

    /** The server ended: whoever follows again checks first. */
    void onServerDown() {
        if (upstream != null) {
            ctx.add(new Action.StopFollowing());
            forget();
        }
    }

    // ---- fetching what a candidate lacks, while frozen

    void onFetch(NodeId leader, CoordMessage.Fetch order) {
        Position end = server.position();
        boolean frozenForIt = order.epoch() == ctx.promise && order.epoch() > ctx.state.epoch();
        if (!frozenForIt || server.state() != ServerState.STANDBY) {
            return;
        }
        if (fetch != null && !fetch.order.equals(order)) {
            // Another source or target by now: the end is read anew before anything is asked for again.
            fetch = null;
            ctx.add(new Action.StopFollowing());
            forget();
            server.walMayGrow();
        }
        if (fetch != null) {
            return;
        }
        if (end == null || server.position() == null) {
            server.needPosition();
            return;
        }
        fetch = new FetchOrder(leader, order);
        follow(order.from(), order.epoch(), end);
    }

    void onPosition() {
        FetchOrder f = fetch;
        Position end = server.position();
        if (f != null && end != null) {
            fetch = null;
            boolean done = EpochHistory.ORDER.compare(end, f.order.target()) >= 0;
            ctx.send(f.leader, new CoordMessage.FetchReply(f.order.term(), f.order.epoch(), done, end));
        }
    }
}
