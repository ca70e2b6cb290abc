package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the node that the replicated state names as primary must do, in this order: have its server out of recovery on
 * the epoch's timeline, let members stream, open the voice, see a probe commit wait, obey the rule, tell the leader
 * when the next rule is satisfied, open the front once the epoch is released, the lease is held and the voice has
 * passed the end of recovery. Any of these gone, the front is shut first.
 */
final class PrimaryDuties {
    private static final long LAPSE_GRACE_NANOS = 500 * Context.MILLIS;
    private static final String NOT_WAITED = "a commit did not wait for the voice";
    private static final long PROBE_AGAIN_NANOS = 1_000 * Context.MILLIS;

    private final Context ctx;
    private final ServerSupervisor server;
    private final StandbyDuties standby;
    private final LeaseHolder lease;
    private final LeaseGranter granter;
    private final ServesNews news;
    private final Withdrawal withdrawal;

    // One run of the server.
    private Event.@Nullable ServerPrimaryReady ready;
    private boolean voiceAsked;
    private boolean voiceOpen;
    private boolean probeWaited;
    private long probeAt;
    private long probe;
    /** The first probe since the voice was asked for: what earlier ones tell is of another voice. */
    private long probesFrom = 1;

    private Lsn voice = Lsn.NONE;
    private int ranTimeline;
    // One epoch.
    private long servedEpoch;
    private long permitAsked;
    private long permitObeyed;
    private long insertAsked;
    private long insertVersion;
    private Lsn insert = Lsn.NONE;
    private long toldAt;
    private long toldVersion;
    private final Map<MemberRef, Lsn> flushed = new HashMap<>();
    private long mayStartEpoch;
    private long frontEpoch;
    private long lapsedAt;
    private long leaseShown;
    /** Giving way: this run of the server ends and does nothing more. */
    private boolean handingOver;

    PrimaryDuties(
            Context ctx, ServerSupervisor server, StandbyDuties standby, LeaseHolder lease, LeaseGranter granter) {
        this.ctx = ctx;
        this.server = server;
        this.standby = standby;
        this.lease = lease;
        this.granter = granter;
        this.news = new ServesNews(ctx);
        this.withdrawal = new Withdrawal(ctx, server);
    }

    boolean frontOpen() {
        return frontEpoch != 0;
    }

    /** Whether the server was out of recovery on the current timeline since this agent started. */
    boolean ran() {
        return ranTimeline != 0 && ranTimeline == ctx.state.timeline();
    }

    /** The highest flush of this epoch that is known here. */
    Lsn knownFlush() {
        Lsn most = voice;
        for (Lsn f : flushed.values()) {
            most = Lsn.max(most, f);
        }
        Event.ServerPrimaryReady r = ready;
        return r == null ? most : Lsn.max(most, r.recoveryEnd());
    }

    // ---- what must be so

    void reconcile() {
        ClusterState s = ctx.state;
        if (!ctx.primaryIsMe()) {
            stepDown("another node is primary");
            return;
        }
        String withdrawn = withdrawal.reason();
        if (withdrawn != null) {
            stepDown(withdrawn);
            withdrawal.step();
            return;
        }
        if (ctx.promise > s.epoch()) {
            stepDown("frozen for epoch " + ctx.promise);
            boolean writes = server.state() == ServerState.PRIMARY || server.state() == ServerState.PROMOTING;
            if (endCounts(s) && writes) {
                // The end of WAL that is being written is not for sure.
                server.stop(true);
            }
            return;
        }
        lease.askWhenDue(server.state() == ServerState.PRIMARY || mayStartEpoch == s.epoch());
        switch (server.state()) {
            case EMPTY -> server.fault("no data");
            case DOWN -> whenDown(s);
            case STANDBY -> whenStandby(s);
            case PROMOTING -> {} // The shell repeats the signal and tells when it is over.
            case PRIMARY -> whenPrimary(s);
        }
    }

    /** Frozen, this node is asked where its WAL ends: for R, or as the last released primary that is to begin anew. */
    private boolean endCounts(ClusterState s) {
        boolean lastReleased = ctx.self.node().equals(s.releasedPrimary()) && ctx.generation == s.releasedGeneration();
        return s.rule().set().contains(ctx.ref()) || (!s.released() && lastReleased);
    }

    private void whenDown(ClusterState s) {
        Position end = server.position();
        if (!server.idle()) {
            return;
        }
        if (end == null) {
            server.needPosition();
        } else if (end.timeline() == s.timeline()) {
            if (mayStartEpoch == s.epoch() && holdsLease()) {
                ctx.tell("failover", "starts its server in place for epoch " + s.epoch());
                server.startPrimary();
            }
        } else if (!s.released() && holdsFork(s, end)) {
            server.startStandby();
        } else {
            server.fault("its WAL ends at %s, not on timeline %d".formatted(end, s.timeline()));
        }
    }

    private void whenStandby(ClusterState s) {
        if (!server.idle()) {
            return;
        }
        Position end = server.position();
        if (s.released() || (end != null && end.timeline() == s.timeline())) {
            server.stop(true);
        } else if (standby.following() && standby.closedBelow() >= s.epoch()) {
            // What it fetched as a candidate streams in this very epoch, and nothing below it is left to close.
            standby.forget();
            server.walMayGrow();
            ctx.add(new Action.StopFollowing());
        } else if (standby.following() || standby.closedBelow() < s.epoch()) {
            standby.closeBelow(s.epoch());
        } else {
            ctx.tell("failover", "promotes its server to epoch %d, timeline %d".formatted(s.epoch(), s.timeline()));
            server.promote(s.epoch(), s.timeline());
        }
    }

    private void whenPrimary(ClusterState s) {
        Event.ServerPrimaryReady r = ready;
        if (handingOver && server.idle()) {
            server.stop(true);
        }
        if (handingOver || r == null) {
            return;
        }
        if (r.timeline() != s.timeline()) {
            shutFront("its server runs on timeline " + r.timeline());
            server.stop(true);
            return;
        }
        if (servedEpoch != s.epoch()) {
            beginEpoch(s);
        }
        if (!voiceOpen) {
            if (!voiceAsked) {
                voiceAsked = true;
                ctx.add(new Action.OpenVoice());
            }
        } else if (!probeWaited) {
            probe();
        } else if (permitAsked != s.version()) {
            permitAsked = s.version();
            ctx.add(new Action.SetPermit(new VoicePermit(s.epoch(), s.version(), ctx.ref(), s.rule(), s.nextRule())));
        }
        tellWhenSatisfied(s, r);
        if (holdsLease()) {
            showLease(s);
        }
        openOrShut(s, r);
    }

    private void beginEpoch(ClusterState s) {
        shutFront("a new epoch begins");
        if (servedEpoch != 0) {
            // The same server goes on in the next epoch: nothing is reported until the new permit is obeyed.
            ctx.add(new Action.SetPermit(null));
        }
        servedEpoch = s.epoch();
        flushed.clear();
        permitAsked = 0;
        permitObeyed = 0;
        insertAsked = 0;
        insertVersion = 0;
        ctx.add(new Action.CloseStreamsBelow(s.epoch()));
        ctx.add(new Action.ServeStreams(s.epoch()));
    }

    private void probe() {
        if (probeAt == 0 || ctx.now - probeAt > PROBE_AGAIN_NANOS) {
            probeAt = ctx.now;
            ctx.add(new Action.ProbeCommit(++probe));
        }
    }

    /** Finish and Release: k' of the next rule have flushed past what they wait for. */
    private void tellWhenSatisfied(ClusterState s, Event.ServerPrimaryReady r) {
        Rule next = s.nextRule();
        if (next == null || ctx.leaderId == null) {
            return;
        }
        boolean promoted = !s.released() && !keptTimeline(s);
        Lsn waitFor;
        if (promoted) {
            waitFor = r.recoveryEnd();
        } else {
            readInsertPosition(s);
            if (insertVersion != s.version()) {
                return;
            }
            waitFor = insert;
        }
        boolean due = toldVersion != s.version()
                || ctx.now - toldAt >= ctx.millis(s.settings().heartbeatMillis());
        if (due && ctx.rules.nextSatisfied(next, ctx.ref(), flushed, waitFor)) {
            toldAt = ctx.now;
            toldVersion = s.version();
            ctx.send(
                    ctx.leaderId,
                    new CoordMessage.NextRuleSatisfied(
                            ctx.term, s.version(), s.timeline(), r.parentTimeline(), r.fork()));
        }
    }

    private void readInsertPosition(ClusterState s) {
        if (insertAsked != s.version() && ctx.rules.mayReadInsertPosition(permitObeyed, s.version())) {
            insertAsked = s.version();
            ctx.add(new Action.ReadInsertPosition(s.version()));
        }
    }

    private void openOrShut(ClusterState s, Event.ServerPrimaryReady r) {
        if (frontEpoch != 0) {
            if (holdsLease()) {
                lapsedAt = 0;
            } else if (lapsedAt == 0 && !granter.suspended()) {
                // The front holds everything while the lease is out; a short lapse need not cost the sessions.
                lapsedAt = ctx.now;
            } else if (granter.suspended() || ctx.now - lapsedAt >= LAPSE_GRACE_NANOS) {
                shutFront("the lease ran out");
            }
            news.tell(frontEpoch);
            return;
        }
        boolean mayOpen = ctx.rules.mayOpen(s)
                && holdsLease()
                && voiceOpen
                && probeWaited
                && permitObeyed >= s.version()
                && voice.atLeast(r.recoveryEnd());
        if (mayOpen) {
            frontEpoch = s.epoch();
            lapsedAt = 0;
            ctx.add(new Action.OpenFront(s.epoch()));
            ctx.tell("failover", "serves as primary of epoch " + s.epoch());
            news.begin(frontEpoch);
        }
    }

    private void showLease(ClusterState s) {
        long until = lease.until(granter.suspended());
        if (until != leaseShown) {
            leaseShown = until;
            ctx.add(new Action.ServeLease(s.epoch(), until));
        }
    }

    private boolean holdsLease() {
        return lease.until(granter.suspended()) > ctx.now;
    }

    private static boolean keptTimeline(ClusterState s) {
        return !s.history().isEmpty() && !s.history().getLast().ownTimeline();
    }

    private static boolean holdsFork(ClusterState s, Position end) {
        return end.timeline() == s.history().getLast().parentTimeline()
                && end.lsn().atLeast(expectedFork(s));
    }

    private static Lsn expectedFork(ClusterState s) {
        return s.history().isEmpty() ? Lsn.NONE : s.history().getLast().expectedFork();
    }

    // ---- ending it

    void shutFront(String why) {
        if (frontEpoch != 0) {
            frontEpoch = 0;
            ctx.add(new Action.CloseFront(why));
            ctx.tell("failover", "shuts its front: " + why);
            giveLeaseBack();
        }
    }

    /** Front and voice must know before the leader does. */
    private void giveLeaseBack() {
        leaseShown = 0;
        ctx.add(new Action.ServeLease(ctx.state.epoch(), ctx.now));
        lease.giveBack();
    }

    private void stepDown(String why) {
        shutFront(why);
        if (servedEpoch != 0 || permitAsked != 0) {
            servedEpoch = 0;
            permitAsked = 0;
            permitObeyed = 0;
            flushed.clear();
            ctx.add(new Action.SetPermit(null));
            ctx.add(new Action.ServeStreams(0));
        }
        if (voiceAsked) {
            endVoice();
            ctx.add(new Action.CloseVoice());
        }
        mayStartEpoch = 0;
    }

    /**
     * Gives way to that node: nothing is shown or acknowledged from here on, and the server ends once that node's stream
     * has taken all of its WAL, the record of its shutdown included. Streams of others could only delay that.
     */
    void handOver(NodeId heir) {
        handingOver = true;
        shutFront("the primary moves to " + heir);
        ctx.add(new Action.SetPermit(null));
        if (voiceAsked) {
            endVoice();
            ctx.add(new Action.CloseVoice());
        }
        ctx.add(new Action.KeepOnlyStream(heir));
        server.stop(false);
    }

    private void endVoice() {
        voiceAsked = false;
        voiceOpen = false;
        probeWaited = false;
        probeAt = 0;
        probesFrom = probe + 1;
        permitAsked = 0;
        permitObeyed = 0;
    }

    /** The server's run is over: whatever was known about it is void. */
    void onServerDown(String why) {
        boolean served = frontEpoch != 0;
        shutFront(why);
        if (ready != null || voiceAsked) {
            ctx.add(new Action.SetPermit(null));
            ctx.add(new Action.ServeStreams(0));
            if (!served) {
                giveLeaseBack();
            }
        }
        if (voiceAsked) {
            // Or the relay would open it by itself, on whatever the next run of the server is.
            ctx.add(new Action.CloseVoice());
        }
        ready = null;
        handingOver = false;
        voice = Lsn.NONE;
        servedEpoch = 0;
        mayStartEpoch = 0;
        flushed.clear();
        endVoice();
    }

    // ---- what happens

    void onReady(Event.ServerPrimaryReady event) {
        ClusterState s = ctx.state;
        if (ctx.primaryIsMe() && !s.released() && !keptTimeline(s)) {
            if (event.timeline() != s.timeline() || !event.fork().atLeast(expectedFork(s))) {
                server.fault("it was promoted to timeline %d at %s, not to %d at %s or later"
                        .formatted(event.timeline(), event.fork(), s.timeline(), expectedFork(s)));
                server.stop(true);
                return;
            }
        }
        ready = event;
        ranTimeline = event.timeline();
        lease.ask();
    }

    void onRestartInPlace(CoordMessage.RestartInPlace m) {
        if (m.epoch() == ctx.state.epoch() && m.term() == ctx.term && ctx.primaryIsMe()) {
            mayStartEpoch = m.epoch();
        }
    }

    void onLeaseRecall(CoordMessage.LeaseRecall m) {
        if (m.term() == ctx.term) {
            if (frontEpoch != 0) {
                shutFront("the leader recalled the lease");
            } else {
                giveLeaseBack();
            }
        }
    }

    void onVoiceOpened() {
        voiceOpen = voiceAsked;
    }

    void onVoiceClosed(String why) {
        if (voiceAsked) {
            shutFront("the voice was closed: " + why);
            endVoice();
            ctx.add(new Action.SetPermit(null));
        }
    }

    void onProbeWaited(long attempt) {
        if (attempt >= probesFrom && voiceOpen) {
            probeWaited = true;
            if (server.fault().equals(NOT_WAITED)) {
                server.fault("");
            }
        }
    }

    /** One that comes after another was seen waiting says nothing: the voice has its permit since then. */
    void onProbePassed(long attempt) {
        if (attempt >= probesFrom && !probeWaited) {
            ctx.tell("failover", "its server is not fit: " + NOT_WAITED);
            server.fault(NOT_WAITED);
        }
    }

    void onPermitObeyed(Event.PermitObeyed e) {
        if (e.epoch() == servedEpoch) {
            permitObeyed = Math.max(permitObeyed, e.version());
        }
    }

    void onInsertPosition(Event.InsertPositionRead e) {
        if (e.version() == insertAsked) {
            insertVersion = e.version();
            insert = e.insert();
            if (ctx.leaderId != null) {
                ctx.send(ctx.leaderId, new CoordMessage.JointObeyed(ctx.term, e.version(), e.insert()));
            }
        }
    }

    void onMemberProgress(Event.MemberProgress p) {
        if (p.epoch() == servedEpoch) {
            flushed.merge(p.member(), p.flushed(), Lsn::max);
        }
    }

    void onVoiceReported(Lsn lsn) {
        voice = Lsn.max(voice, lsn);
    }

    /** Told to the front even when the voice has passed it: the front holds everything until it knows where to. */
    void onWaitCancelled(Lsn lsn) {
        if (!voice.atLeast(lsn)) {
            ctx.tell("cluster", "holds its answers: a commit's wait was cancelled at " + lsn);
        }
        ctx.add(new Action.HoldAnswers(lsn));
    }

    void onRaftChanged() {
        toldVersion = 0;
        lease.onRaftChanged();
        if (ctx.primaryIsMe() && server.state() == ServerState.PRIMARY) {
            lease.ask();
        }
    }
}
