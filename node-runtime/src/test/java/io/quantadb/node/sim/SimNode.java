package io.quantadb.node.sim;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterCore;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.CoordCodec;
import io.quantadb.node.cluster.CoordMessage;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.StateCodec;
import io.quantadb.node.cluster.Transitions;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raft.EntryKind;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.MembershipChange;
import io.quantadb.node.raft.Outbound;
import io.quantadb.node.raft.ProposeResult;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.raft.RaftCore;
import io.quantadb.node.raft.RaftMessage;
import io.quantadb.node.raft.RaftOutput;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.Role;
import io.quantadb.node.raft.Snapshot;
import io.quantadb.node.raft.sim.SimDisk;
import java.util.ArrayDeque;
import java.util.Deque;

/** One node: production Raft core and decision core, with a shell that carries out what they ask for in the model. */
final class SimNode {
    private static final RaftConfig RAFT = RaftConfig.DEFAULT.withLog(60, 20);
    private static final long TICK = 10 * SimWorld.MS;

    final SimWorld world;
    final NodeId id;
    final MemberKind kind;
    final double rate;
    final long offset;
    final SimSlowness slow;
    PeerId self;
    SimDisk disk;
    SimFacts facts;
    SimPostgres pg;
    SimRelay relay;
    SimFront front;
    RaftCore raft;
    private SimTimers timers;
    ClusterCore core;
    boolean up;
    private int life;
    /** When this node itself last had trouble: started, died or lost its server. */
    private long troubledAt;
    /** Since when it has this part in Raft. */
    private long partSince;
    /** What region and zone it stands in. */
    String zone = "";

    private long pausedUntil;
    private final Deque<Runnable> missed = new ArrayDeque<>();
    private final Deque<Event> inbox = new ArrayDeque<>();
    private boolean working;
    /** The newest cluster version that the release on this node reads: later ones come with a restart. */
    int release = ClusterVersion.NEWEST;

    private long completing;
    private ClusterState state = ClusterState.EMPTY;
    private long applied;
    private String shownRaft = "";
    private String shownMembers = "";
    private long shownLease;
    private long beatAt;

    SimNode(SimWorld world, NodeId id, MemberKind kind) {
        this.world = world;
        this.id = id;
        this.kind = kind;
        this.rate = 1 + (world.random.nextDouble() - 0.5) * 0.01;
        this.offset = world.random.nextLong(1_000_000 * SimWorld.MS);
        this.slow = new SimSlowness(world);
        fresh(RaftRestored.EMPTY);
    }

    /** An empty disk: another incarnation. */
    void fresh(RaftRestored restored) {
        self = world.newIncarnation(id);
        fresh(self, restored);
    }

    private void fresh(PeerId incarnation, RaftRestored restored) {
        self = incarnation;
        disk = new SimDisk(restored);
        facts = new SimFacts();
        pg = new SimPostgres(this);
        relay = new SimRelay(this);
        front = new SimFront(this);
    }

    void freshGroup() {
        PeerId incarnation = world.newIncarnation(id);
        fresh(incarnation, RaftRestored.groupOfOne(incarnation));
    }

    long local() {
        return offset + (long) (world.now * rate);
    }

    boolean running() {
        return up && world.now >= pausedUntil;
    }

    /** Whether it runs, and nothing was the matter with it or its connections since some time before then. */
    boolean wellSince(long then) {
        long since = Math.max(
                Math.max(troubledAt, pausedUntil), Math.max(slow.disksWellSince(), world.network.fairSince(id)));
        return up && since <= then;
    }

    boolean leads() {
        return running() && raft.role() == Role.LEADER;
    }

    /** Whether it has had its part in Raft since some time before then. */
    boolean inPartSince(long then) {
        return partSince <= then;
    }

    void troubled() {
        troubledAt = world.now;
    }

    /** Grows with every start and crash. */
    int life() {
        return life;
    }

    boolean leaseHeld(long epoch) {
        return front.leaseHeld(epoch);
    }

    // ---- life

    void start() {
        up = true;
        life++;
        troubled();
        pausedUntil = 0;
        missed.clear();
        inbox.clear();
        working = false;
        shownRaft = "";
        shownMembers = "";
        shownLease = 0;
        completing = world.now;
        RaftRestored restored = disk.restored();
        facts.promise = world.bugs.restoredPromise(facts.promise);
        timers = new SimTimers(facts);
        raft = new RaftCore(timers.config(RAFT), self, restored, local(), world.random);
        shownLease = raft.leaseUntilNanos();
        core = new ClusterCore(
                new ClusterCore.Start(
                        self,
                        facts.generation,
                        facts.promise,
                        pg.empty ? ServerState.EMPTY : ServerState.DOWN,
                        null,
                        world.random.nextInt(1 << 30),
                        release),
                local(),
                world.rules);
        applied = 0;
        state = ClusterState.EMPTY;
        pg.answersAs(facts.generation);
        world.trace(self + " starts");
        if (restored.snapshot() != null) {
            restore(restored.snapshot());
        }
        work(() -> {});
        int mine = life;
        world.after(world.random.nextLong(TICK), () -> tick(mine));
    }

    /** The whole node: what was not on disk is gone, PostgreSQL with it. */
    void crash() {
        if (!up) {
            return;
        }
        world.trace(self + " crashes");
        up = false;
        life++;
        disk.crash(world.random);
        relay.crash();
        front.crash();
        pg.die();
        missed.clear();
        inbox.clear();
    }

    /** Crash and lose the disk. */
    void wipe() {
        crash();
        world.trace(self + " loses its disk");
        fresh(RaftRestored.EMPTY);
    }

    /** The node crashes, and the end of its WAL cannot be told any more: bad sectors in the last segment. */
    void spoil() {
        crash();
        world.trace(self + "'s data cannot be read");
        pg.spoiled = true;
    }

    /** The node crashes, and what PostgreSQL has on disk is gone; what the agent and Raft keep lies elsewhere. */
    void loseData() {
        crash();
        world.trace(self + " loses its data directory");
        pg.wipe();
    }

    void pause(long nanos) {
        if (up) {
            world.trace("%s pauses for %d ms".formatted(id, nanos / SimWorld.MS));
            pausedUntil = Math.max(pausedUntil, world.now + nanos);
        }
    }

    void killPostgres() {
        if (up && pg.running()) {
            world.trace(id + "'s PostgreSQL is killed");
            pg.die();
            later(0.5, 2, () -> event(new Event.ServerExited("killed")));
        }
    }

    private void tick(int mine) {
        if (mine != life) {
            return;
        }
        if (world.now < pausedUntil) {
            world.at(pausedUntil, () -> {
                while (mine == life && !missed.isEmpty()) {
                    work(missed.removeFirst());
                }
                tick(mine);
            });
            return;
        }
        work(() -> {
            timers.tick(state, local(), RAFT, next -> raft.retime(next, local()));
            raft.tick(local());
            event(new Event.Tick(world.wallMillis()));
            if (world.now - beatAt > 50 * SimWorld.MS) {
                beatAt = world.now;
                relay.beat();
            }
        });
        world.after((long) (TICK / rate), () -> tick(mine));
    }

    /** An input from outside: now, or when the process runs again. */
    void input(Runnable r) {
        if (!up) {
            return;
        }
        if (world.now < pausedUntil) {
            missed.add(r);
        } else {
            work(r);
        }
    }

    void later(double fromMs, double toMs, Runnable r) {
        int mine = life;
        world.afterMs(fromMs, toMs, () -> {
            if (mine == life) {
                input(r);
            }
        });
    }

    void event(Event e) {
        inbox.add(e);
        if (!working) {
            input(() -> {});
        }
    }

    private void work(Runnable r) {
        if (working) {
            r.run();
            return;
        }
        working = true;
        int mine = life;
        r.run();
        pump();
        while (!inbox.isEmpty() && mine == life) {
            for (Action a : core.on(local(), inbox.remove())) {
                carryOut(a);
            }
            pump();
        }
        working = false;
    }

    // ---- Raft

    private void pump() {
        for (RaftOutput out = raft.drain(); !out.isEmpty(); out = raft.drain()) {
            for (DiskWrite w : out.writes()) {
                disk.submit(w);
                scheduleCompletion();
            }
            for (Outbound o : out.messages()) {
                send(o);
            }
            if (out.restore() != null) {
                restore(out.restore());
            }
            out.committed().forEach(this::apply);
            if (raft.snapshotDue()) {
                raft.snapshotTaken(applied, StateCodec.encode(state));
            }
            observe();
        }
        observe();
    }

    private void scheduleCompletion() {
        int mine = life;
        completing = Math.max(
                completing,
                world.now + world.between(0.1, slow.atMost(SimSlowness.Part.RAFT_DISK, world.chance(0.02) ? 20 : 1.5)));
        world.at(completing, () -> {
            if (mine == life && !disk.idle()) {
                long write = disk.completeOne();
                input(() -> raft.written(write, local()));
            }
        });
    }

    private void send(Outbound o) {
        SimNode to = world.nodes.get(o.to().node());
        PeerId from = self;
        RaftMessage m = o.message();
        PeerId target = o.to();
        world.network.send(
                id,
                to.id,
                () -> to.input(() -> {
                    to.raft.heard(from.node(), to.local());
                    to.raft.receive(from, target, m, to.local());
                    to.event(new Event.Heard(from.node()));
                }));
    }

    private void apply(LogEntry e) {
        applied = e.index();
        if (e.kind() == EntryKind.COMMAND) {
            world.oracle.readable(this, SimEntry.version(e.data()));
            Command command = SimEntry.command(e.data());
            var result = new Transitions(world.rules).apply(state, command);
            state = result.state();
            world.oracle.readable(this, ClusterVersion.of(state));
            world.oracle.onApplied(this, e.index(), e.data(), state);
        }
        event(new Event.StateApplied(state, applied));
    }

    private void restore(Snapshot s) {
        applied = s.index();
        state = s.state().length == 0 ? ClusterState.EMPTY : StateCodec.decode(s.state());
        world.oracle.readable(this, ClusterVersion.of(state));
        event(new Event.StateApplied(state, applied));
    }

    private void observe() {
        boolean leader = raft.role() == Role.LEADER;
        NodeId leaderId = raft.leader() == null ? null : raft.leader().node();
        // Committed entries are applied before this is asked, so committed is applied.
        boolean own = raft.ownTermCommitted();
        String raftNow = leader + " " + raft.term() + " " + leaderId + " " + own;
        if (!raftNow.equals(shownRaft)) {
            shownRaft = raftNow;
            world.trace(id + " raft " + raftNow);
            partSince = world.now;
            event(new Event.RaftChanged(leader, raft.term(), leaderId, own, raft.electedByTransfer()));
        }
        long lease = raft.leaseUntilNanos();
        if (leader && lease != shownLease) {
            shownLease = lease;
            event(new Event.LeaderLease(lease));
        }
        String members = raft.membership().toString();
        if (!members.equals(shownMembers)) {
            shownMembers = members;
            event(new Event.RaftMembership(
                    raft.membership().voters(), raft.membership().learners()));
        }
    }

    // ---- carrying out

    private void carryOut(Action action) {
        switch (action) {
            case Action.Propose a -> {
                ProposeResult r = raft.propose(entry(a.command()), local());
                if (!(r instanceof ProposeResult.Accepted)) {
                    event(new Event.ProposalFailed(a.command()));
                }
            }
            case Action.TransferLeadership a -> {
                PeerId peer = raft.membership().memberOf(a.to());
                if (peer != null) {
                    raft.transfer(peer, local());
                }
            }
            case Action.AddLearner a -> raft.changeMembership(new MembershipChange.AddLearner(a.peer()), local());
            case Action.DemoteToLearner a ->
                raft.changeMembership(new MembershipChange.DemoteToLearner(a.peer()), local());
            case Action.PromoteToVoter a ->
                raft.changeMembership(new MembershipChange.PromoteToVoter(a.peer()), local());
            case Action.RemovePeer a -> raft.changeMembership(new MembershipChange.Remove(a.peer()), local());
            case Action.Send a -> send(a.to(), a.message());
            case Action.JoinAnswer a -> {
                // The joiner asks again until it finds itself in the state.
            }
            case Action.AdminAnswer a -> {
                world.trace("%s answers %s: %s".formatted(id, a.verdict(), a.words()));
                world.onAdminAnswer.accept(this, a);
            }
            case Action.PersistPromise a ->
                later(0.2, slow.atMost(SimSlowness.Part.FACTS, world.chance(0.05) ? 30 : 2), () -> {
                    facts.promise = Math.max(facts.promise, a.epoch());
                    facts.promisedEver = Math.max(facts.promisedEver, a.epoch());
                    event(new Event.PromisePersisted(a.epoch()));
                });
            case Action.PersistGeneration a ->
                later(0.2, 2, () -> {
                    facts.generation = a.generation();
                    event(new Event.GenerationPersisted(a.generation()));
                });
            case Action.Tell a -> world.trace("%s says: %s".formatted(id, a.what()));
            default -> carryOutLocal(action);
        }
    }

    private void carryOutLocal(Action action) {
        switch (action) {
            case Action.StartStandby a -> pg.startStandby();
            case Action.StartPrimary a -> pg.startPrimary();
            case Action.StopServer a -> pg.stop(a.immediate());
            case Action.PromoteServer a -> pg.promote(a.timeline());
            case Action.ReadPosition a ->
                later(0.5, 4, () -> {
                    boolean readable = !pg.spoiled;
                    boolean sure = readable && (pg.state == ServerState.DOWN || pg.state == ServerState.STANDBY);
                    pg.sync();
                    event(new Event.PositionRead(a.requestId(), sure ? pg.position() : null));
                });
            case Action.ReadInsertPosition a ->
                later(0.2, 2, () -> event(new Event.InsertPositionRead(a.version(), pg.end())));
            case Action.Clone a -> doClone(a);
            case Action.Rewind a -> doRewind(a);
            case Action.Follow a -> relay.follow(a);
            case Action.StopFollowing a -> relay.stopFollowing();
            case Action.CloseStreamsBelow a -> relay.closeBelow(a.epoch());
            case Action.ServeFetch a -> relay.serveFetch(a.to(), a.epoch());
            case Action.ServeStreams a -> relay.serve(a.epoch());
            case Action.FeedMembers a -> relay.feed(a.epoch(), a.members());
            case Action.OpenVoice a -> relay.openVoice();
            case Action.CloseVoice a -> relay.closeVoice();
            case Action.SetPermit a -> relay.setPermit(a.permit());
            case Action.ProbeCommit a -> later(0.5, world.chance(0.05) ? 4_000 : 4, () -> probeCommit(a.attempt()));
            case Action.OpenFront a -> front.open(a.epoch());
            case Action.CloseFront a -> front.close();
            case Action.ServeLease a -> front.lease(a.epoch(), a.untilNanos());
            case Action.HoldAnswers a -> front.hold(a.until());
            case Action.Checkpoint a -> later(5, 60, () -> event(new Event.CheckpointDone(a.round())));
            case Action.DrainFront a -> front.drain(a.round());
            case Action.ResumeFront a -> front.resume();
            case Action.KeepOnlyStream a -> relay.keepOnly(a.of());
            case Action.ShowSwitchover a -> world.onSwitchover.accept(this, a.report());
            default -> throw new IllegalStateException("not carried out: " + action);
        }
    }

    private void probeCommit(long attempt) {
        if (pg.ready && relay.voiceOpen && !pg.shuttingDown) {
            pg.append(pg.timeline, "probe");
            pg.flushSoon();
            Lsn end = pg.end();
            int run = pg.run;
            later(2, 10, () -> {
                if (pg.run == run && pg.ready && relay.voiceOpen) {
                    boolean waits = relay.voice.compareTo(end) < 0;
                    event(waits ? new Event.ProbeCommitWaited(attempt) : new Event.ProbeCommitPassed(attempt));
                }
            });
        }
    }

    private void send(NodeId to, CoordMessage message) {
        SimNode target = world.nodes.get(to);
        byte[] bytes = CoordCodec.encode(message);
        world.network.send(
                id, to, () -> target.input(() -> target.event(new Event.Received(id, CoordCodec.decode(bytes)))));
    }

    private void doClone(Action.Clone a) {
        world.trace("%s clones from %s as generation %d".formatted(id, a.from(), a.generation()));
        world.oracle.onDiscards(this);
        pg.wipe();
        world.whenCloning.accept(this);
        int mine = pg.run;
        SimNode source = world.nodes.get(a.from());
        boolean reached = world.network.open(id, source.id) && source.running() && source.pg.ready;
        pg.cloningFrom = reached ? source.pg : null;
        later(60, 200, () -> {
            if (mine != pg.run) {
                return;
            }
            boolean still = world.network.open(id, source.id) && source.running() && source.pg.ready;
            if (reached && still) {
                pg.cloned(source.pg);
                event(new Event.CloneDone(a.generation()));
            } else {
                boolean overtaken = state.epoch() != a.epoch();
                event(overtaken ? new Event.CloneOvertaken() : new Event.ServerFailed("the clone's source went away"));
            }
        });
    }

    /** It reaches for the source first, and changes nothing where the epoch is over by then. */
    private void doRewind(Action.Rewind a) {
        int mine = pg.run;
        later(1, 60, () -> {
            if (mine != pg.run) {
                return;
            }
            if (state.epoch() == a.epoch()) {
                changeByRewind(a);
            } else {
                event(new Event.RewindFailed("the epoch is over", true));
            }
        });
    }

    /** Cut short, or failed for a reason of its own, it leaves nothing that may be used. */
    private void changeByRewind(Action.Rewind a) {
        world.trace("%s rewinds to %s as generation %d".formatted(id, a.from(), a.generation()));
        world.oracle.onDiscards(this);
        pg.beginRewind();
        world.whenCloning.accept(this);
        int mine = pg.run;
        SimNode source = world.nodes.get(a.from());
        boolean reached = world.network.open(id, source.id) && source.running() && source.pg.ready;
        later(30, 120, () -> {
            if (mine != pg.run) {
                return;
            }
            boolean still = world.network.open(id, source.id) && source.running() && source.pg.ready;
            if (reached && still && !world.chance(0.1)) {
                pg.rewound(source.pg);
                event(new Event.RewindDone(a.generation()));
            } else {
                event(new Event.RewindFailed("the source went away, or there is no pg_rewind", false));
            }
        });
    }

    // ---- joining

    boolean member() {
        return state.member(self) != null;
    }

    void joinUntilMember() {
        int mine = life;
        if (up && !member()) {
            NodeId[] all = world.nodes.keySet().toArray(new NodeId[0]);
            SimNode asked = world.nodes.get(all[world.random.nextInt(all.length)]);
            PeerId me = self;
            if (asked != this && asked.member()) {
                world.network.send(
                        id,
                        asked.id,
                        () -> asked.input(() ->
                                asked.event(new Event.JoinAsked(1, me, kind, addresses(), zone, 100, null, release))));
            }
        }
        world.afterMs(100, 160, () -> {
            if (mine == life) {
                joinUntilMember();
            }
        });
    }

    static Addresses addresses() {
        var a = new HostPort("localhost", 1);
        return new Addresses(a, a, a, a, a);
    }

    void propose(Command command) {
        input(() -> raft.propose(entry(command), local()));
    }

    private byte[] entry(Command command) {
        return SimEntry.of(world.bugs.writtenVersion(ClusterVersion.of(state), release), command);
    }
}
