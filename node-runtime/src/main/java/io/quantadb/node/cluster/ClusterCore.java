package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The decision core of one node: everything that happens goes in as an {@link Event} with the time, everything to be
 * done comes out as {@link Action}s in order. It holds no clock, thread, random source or I/O.
 *
 * <p>After each event every part compares what should be with what is and asks for the next step, so a lost message or
 * a failed operation is made good by the next {@link Event.Tick}. {@link FreezeDuties}, {@link StandbyDuties} and {@link
 * PrimaryDuties} are this node's part; {@link LeaderDuties} works only on the Raft leader. What a leader says to its own
 * node is handled before {@link #on} returns.
 *
 * <p>Owned by one thread.
 */
public final class ClusterCore {
    private static final int OWN_MESSAGES_MAX = 1_000;

    /**
     * What is durable on this node, and who it is.
     *
     * @param self this incarnation
     * @param generation the generation of the data directory, 0 when there never was one
     * @param promise the highest promise on disk, 0 when none
     * @param server {@link ServerState#EMPTY} or {@link ServerState#DOWN}
     * @param position the end of the WAL when it was read already, else null
     * @param run a random number for this run of the agent
     * @param reads the newest {@link ClusterVersion} that this release reads
     */
    public record Start(
            PeerId self,
            long generation,
            long promise,
            ServerState server,
            @Nullable Position position,
            int run,
            int reads) {
        /** Of this release. */
        public Start(
                PeerId self, long generation, long promise, ServerState server, @Nullable Position position, int run) {
            this(self, generation, promise, server, position, run, ClusterVersion.NEWEST);
        }
    }

    private final Context ctx;
    private final ServerSupervisor server;
    private final UpstreamNews news;
    private final StandbyDuties standby;
    private final FeedDuties feed;
    private final FreezeDuties freeze;
    private final LeaseHolder lease;
    private final PrimaryDuties primary;
    private final SwitchoverDuties switchover;
    private final SwitchoverWatch watch;
    private final LeaderDuties leaderDuties;
    private final Reporter reporter;

    public ClusterCore(Start start, long nowNanos) {
        this(start, nowNanos, new ProtocolRules());
    }

    /** With other rules, which only a test has. */
    public ClusterCore(Start start, long nowNanos, ProtocolRules rules) {
        ctx = new Context(start.self(), rules, start.reads(), start.generation(), start.promise(), nowNanos);
        server = new ServerSupervisor(ctx, start.server(), start.position());
        news = new UpstreamNews(ctx);
        standby = new StandbyDuties(ctx, server, new UpstreamChoice(ctx, news));
        feed = new FeedDuties(ctx, server, standby);
        freeze = new FreezeDuties(ctx, server, standby);
        lease = new LeaseHolder(ctx, start.run());
        var granter = new LeaseGranter(ctx);
        primary = new PrimaryDuties(ctx, server, standby, lease, granter);
        switchover = new SwitchoverDuties(ctx, primary);
        watch = new SwitchoverWatch(ctx);
        leaderDuties = new LeaderDuties(ctx, granter, primary);
        reporter = new Reporter(ctx, server, standby, primary);
    }

    /** The state as this core knows it, for whoever shows it. */
    public ClusterState state() {
        return ctx.state;
    }

    public LocalStatus status() {
        return reporter.status();
    }

    /** On the leader: what a failover that is called for waits for, in words; empty when none is held back. */
    public String heldBack() {
        return leaderDuties.heldBack();
    }

    /** What a member that is fed by another than the primary, or feeds others, says of itself; null while it is silent. */
    public CoordMessage.@Nullable Follows follows(NodeId node) {
        return news.of(node);
    }

    public boolean frontOpen() {
        return primary.frontOpen();
    }

    /** What to do now, in order. */
    public List<Action> on(long nowNanos, Event event) {
        ctx.advance(nowNanos);
        take(event);
        settle();
        int own = 0;
        for (CoordMessage m = ctx.nextToSelf(); m != null; m = ctx.nextToSelf()) {
            if (++own > OWN_MESSAGES_MAX) {
                throw new IllegalStateException("a leader and its own node talk without end");
            }
            onMessage(ctx.self.node(), m);
            settle();
        }
        return ctx.drain();
    }

    private void settle() {
        leaderDuties.reconcile();
        watch.reconcile();
        if (ctx.me() != null) {
            switchover.reconcile();
            primary.reconcile();
            standby.reconcile();
            feed.reconcile();
            reporter.report();
        } else if (primary.frontOpen()) {
            primary.shutFront("this node is no longer a member");
        }
    }

    private void take(Event event) {
        switch (event) {
            case Event.Tick e -> ctx.wallMillis = e.wallMillis();
            case Event.StateApplied e -> onState(e);
            case Event.RaftChanged e -> onRaft(e);
            case Event.LeaderLease e -> ctx.leaderLeaseUntil = e.untilNanos();
            case Event.RaftMembership e -> {
                ctx.voters = e.voters();
                ctx.learners = e.learners();
                leaderDuties.onStateOrMembership();
            }
            case Event.Paced e -> onPaced(e);
            case Event.ProposalFailed e -> leaderDuties.onProposalFailed(e.command());
            case Event.Received e -> {
                ctx.heard(e.from());
                onMessage(e.from(), e.message());
            }
            case Event.Heard e -> ctx.heard(e.from());
            case Event.Unreachable e -> {
                // A reason to probe: silence decides, and silence has begun.
            }
            case Event.JoinAsked e -> leaderDuties.onJoinAsked(e);
            case Event.MemberTold e -> leaderDuties.onMemberTold(e);
            case Event.AdminAsked e -> leaderDuties.onAdminAsked(e);
            case Event.PromisePersisted e -> freeze.onPromisePersisted(e.epoch());
            case Event.DiskHealth e -> server.onDisk(e.trouble());
            case Event.GenerationPersisted e -> standby.onGenerationPersisted(e.generation());
            default -> takeLocal(event);
        }
    }

    /** What happens in this node's server, relay and front. */
    private void takeLocal(Event event) {
        switch (event) {
            case Event.ServerChanged e -> onServer(e);
            case Event.ServerHealth e -> server.onHealth(e.trouble());
            case Event.ServerExited e -> {
                server.onExited();
                switchover.onServerDown();
                primary.onServerDown("PostgreSQL ended: " + e.how());
                standby.onServerDown();
            }
            case Event.ServerFailed e -> {
                ctx.tell("failover", "its server failed: " + e.what());
                server.onFailed(e.what());
            }
            case Event.ServerPrimaryReady e -> {
                server.onReady(e.timeline());
                primary.onReady(e);
            }
            case Event.PositionRead e -> {
                if (server.onPosition(e.requestId(), e.position())) {
                    standby.onPosition();
                    freeze.onPosition();
                }
            }
            case Event.InsertPositionRead e -> primary.onInsertPosition(e);
            case Event.CloneDone e -> server.onCloneDone();
            case Event.RewindDone e -> server.onCloneDone();
            case Event.CloneOvertaken e -> server.onCloneOvertaken();
            case Event.RewindFailed e -> standby.onRewindFailed(e.what(), e.untouched());
            case Event.WaitCancelled e -> primary.onWaitCancelled(e.lsn());
            case Event.StreamOpened e -> standby.onStreamOpened(e.upstream(), e.epoch());
            case Event.StreamClosed e -> standby.onStreamClosed(e);
            case Event.WalRemoved e -> standby.onWalRemoved(e.upstream(), e.epoch());
            case Event.TimelineRefused e -> standby.onTimelineRefused(e.epoch(), e.timeline());
            case Event.StartUnvouched e -> standby.onStartUnvouched(e.epoch());
            case Event.ReceiverProgress e -> standby.onProgress(e);
            case Event.StreamsClosedBelow e -> {
                standby.onStreamsClosedBelow(e.epoch());
                freeze.onStreamsClosed();
            }
            case Event.MemberProgress e -> primary.onMemberProgress(e);
            case Event.MemberGone e -> {
                // What it flushed stays flushed; the relay no longer counts it for the voice.
            }
            case Event.VoiceOpened e -> primary.onVoiceOpened();
            case Event.VoiceClosed e -> primary.onVoiceClosed(e.reason());
            case Event.PermitObeyed e -> primary.onPermitObeyed(e);
            case Event.VoiceReported e -> primary.onVoiceReported(e.lsn());
            case Event.ProbeCommitWaited e -> primary.onProbeWaited(e.attempt());
            case Event.ProbeCommitPassed e -> primary.onProbePassed(e.attempt());
            case Event.CheckpointDone e -> switchover.onCheckpointDone(e.round());
            case Event.FrontDrained e -> switchover.onFrontDrained(e.round());
            default -> throw new IllegalStateException("not taken: " + event);
        }
    }

    private void onState(Event.StateApplied e) {
        boolean other = !e.state().equals(ctx.state);
        ctx.state = e.state();
        ctx.appliedIndex = e.index();
        if (other) {
            leaderDuties.onStateOrMembership();
        }
    }

    private void onRaft(Event.RaftChanged e) {
        boolean otherTerm = e.term() != ctx.term || e.leader() != ctx.leader;
        boolean otherLeader = otherTerm || !Objects.equals(e.leaderId(), ctx.leaderId);
        ctx.leader = e.leader();
        ctx.term = e.term();
        ctx.leader(e.leaderId());
        ctx.ownTermApplied = e.leader() && e.ownTermApplied();
        ctx.byTransfer = e.byTransfer();
        if (!e.leader() || otherTerm) {
            ctx.leaderLeaseUntil = ctx.now;
            leaderDuties.reconcile();
        }
        if (otherLeader) {
            // It comes with every commit too: what was told or asked for then would be told again with every answer to
            // it.
            primary.onRaftChanged();
        }
    }

    private void onPaced(Event.Paced e) {
        leaderDuties.onPaced(e);
        if (ctx.me() != null && !ctx.leader && ctx.leaderId != null) {
            ctx.send(ctx.leaderId, new CoordMessage.Pace(ctx.term, e.tickLateNanos()));
        }
    }

    private void onServer(Event.ServerChanged e) {
        boolean wasRunning = server.state() == ServerState.PRIMARY || server.state() == ServerState.PROMOTING;
        server.onChanged(e.state(), e.timeline());
        boolean down = e.state() == ServerState.DOWN || e.state() == ServerState.EMPTY;
        if (down) {
            standby.onServerDown();
            if (wasRunning) {
                server.walMayGrow();
            }
        }
        if (down && wasRunning) {
            switchover.onServerDown();
            primary.onServerDown("the server was stopped");
        }
    }

    private void onMessage(NodeId from, CoordMessage message) {
        if (ctx.me() == null) {
            return;
        }
        switch (message) {
            case CoordMessage.Probe m -> {
                if (m.term() >= ctx.term) {
                    ctx.send(from, new CoordMessage.ProbeReply(m.term(), m.round(), reporter.status()));
                }
            }
            case CoordMessage.Freeze m -> freeze.onFreeze(from, m);
            case CoordMessage.Fetch m -> standby.onFetch(from, m);
            case CoordMessage.ServeFetch m -> {
                if (m.epoch() == ctx.promise && m.epoch() > ctx.state.epoch()) {
                    ctx.add(new Action.ServeFetch(m.to(), m.epoch()));
                }
            }
            case CoordMessage.LeaseGrant m -> lease.onGrant(m);
            case CoordMessage.LeaseRecall m -> primary.onLeaseRecall(m);
            case CoordMessage.RestartInPlace m -> primary.onRestartInPlace(m);
            case CoordMessage.SwitchoverStep m -> switchover.onStep(from, m);
            case CoordMessage.SwitchoverTold m -> watch.onTold(m);
            case CoordMessage.Discard m -> standby.onDiscard(m);
            case CoordMessage.RestartServer m -> standby.onRestart(m);
            case CoordMessage.Follows m -> news.onTold(from, m);
            default -> leaderDuties.onMessage(from, message);
        }
    }
}
