package io.quantadb.node.sim;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.ClusterCore;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.CoordMessage;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.LocalStatus;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Transitions;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.cluster.VoiceRule;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.sim.invariants.EveryFreezeQuorumKnows;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * One seed of a second, denser search: the production decision core of one leader, which is the primary too, and the
 * production state machine. Everything around them is moved by a scheduler, one step at a time, in any order: the log
 * commits the next entry, a member flushes, leaves, comes back or clones anew, a client writes, the relay obeys, an
 * operator asks for another mode, time passes. What takes a whole world seconds and luck, entries of one leader that are
 * committed long after they were decided, is here every other step.
 *
 * <p>There is one epoch and one leader: what failovers and elections do is the whole world's to show.
 */
final class LeaderRun {
    private static final long MS = 1_000_000L;
    private static final NodeId SELF = new NodeId("n1");

    /** A member as the primary and the leader see it. */
    private static final class Standby {
        final PeerId peer;
        long generation = 1;
        boolean streams;
        int flushed;

        Standby(PeerId peer) {
            this.peer = peer;
        }

        MemberRef ref() {
            return new MemberRef(peer.node(), generation);
        }
    }

    private final SplittableRandom random;
    private final Transitions transitions;
    private final ClusterCore core;
    private final EveryFreezeQuorumKnows quorums = new EveryFreezeQuorumKnows();
    private final List<Standby> standbys = new ArrayList<>();
    private final Deque<Command> uncommitted = new ArrayDeque<>();
    private final Deque<VoicePermit> notObeyed = new ArrayDeque<>();
    private final Deque<Event> inbox = new ArrayDeque<>();
    private final double commits;
    private ClusterState state = ClusterState.EMPTY;
    private VoicePermit permit;
    private boolean open;
    private long now = 1_000 * MS;
    private long index;
    private long story;
    private int wal = 1;
    private int voice;
    private int shown;

    LeaderRun(long seed, ProtocolRules rules) {
        random = new SplittableRandom(seed);
        transitions = new Transitions(rules);
        commits = random.nextDouble();
        var self = new PeerId(SELF, 1);
        core = new ClusterCore(
                new ClusterCore.Start(self, 1, 0, ServerState.DOWN, new Position(1, lsn(wal)), 1), now, rules);
        var peers = new TreeSet<PeerId>();
        peers.add(self);
        state = after(new Command.Bootstrap("sim", 42, 1, voter(self), 1, Settings.DEFAULT));
        int others = 2 + random.nextInt(3);
        for (int i = 0; i < others; i++) {
            var peer = new PeerId(new NodeId("n" + (i + 2)), i + 2);
            peers.add(peer);
            standbys.add(new Standby(peer));
            state = after(new Command.AddMember(voter(peer)));
        }
        happens(new Event.RaftMembership(peers, new TreeSet<>()));
        happens(new Event.StateApplied(state, index));
        happens(new Event.RaftChanged(true, 1, SELF, true, false));
    }

    private static Member voter(PeerId peer) {
        return new Member(peer, 1, MemberKind.DATA, MemberState.VOTER, SimNode.addresses(), "", 100, false);
    }

    private static Lsn lsn(int records) {
        return SimPostgres.lsn(records);
    }

    private ClusterState after(Command command) {
        index++;
        return transitions.apply(state, command).state();
    }

    /** How far clients were answered. */
    int shown() {
        return shown;
    }

    /** Of everything that was committed and when, and of what it made of the state. */
    long story() {
        return story;
    }

    LeaderRun steps(int steps) {
        for (int i = 0; i < steps; i++) {
            step();
        }
        return this;
    }

    private void step() {
        Standby one = standbys.get(random.nextInt(standbys.size()));
        if (random.nextDouble() < commits) {
            commit();
        }
        switch (random.nextInt(12)) {
            case 0, 1 -> wal += 1 + random.nextInt(5);
            case 2, 3, 4 -> flush(one);
            case 5 -> one.streams = !one.streams;
            case 6 -> ask();
            case 7 -> obey();
            case 8 -> cloneAnew(one);
            default -> passTime();
        }
        speak();
    }

    // ---- what the scheduler may do

    private void commit() {
        Command next = uncommitted.poll();
        if (next != null) {
            state = after(next);
            story = (story * 31 + state.hashCode()) * 31 + now;
            happens(new Event.StateApplied(state, index));
            check();
        }
    }

    private void flush(Standby s) {
        if (s.streams && s.flushed < wal) {
            s.flushed += 1 + random.nextInt(wal - s.flushed);
            happens(new Event.MemberProgress(s.ref(), state.epoch(), lsn(s.flushed), Lsn.NONE));
        }
    }

    private void ask() {
        Settings.Mode mode = random.nextBoolean() ? Settings.Mode.ALL : Settings.Mode.QUORUM;
        Settings.Policy policy = random.nextBoolean() ? Settings.Policy.SHRINK : Settings.Policy.BLOCK;
        happens(new Event.AdminAsked(1, new AdminRequest.ChangeMode(mode, policy, random.nextInt(1_000))));
    }

    private void obey() {
        VoicePermit next = notObeyed.poll();
        if (next != null) {
            permit = next;
            happens(new Event.PermitObeyed(next.epoch(), next.version()));
        }
    }

    /** Only while all the others still have what they had, as in the whole world. */
    private void cloneAnew(Standby s) {
        boolean whole = standbys.stream().allMatch(o -> state.rule().set().contains(o.ref()));
        if (whole && random.nextInt(4) == 0) {
            s.generation++;
            s.streams = false;
            s.flushed = wal;
        }
    }

    private void passTime() {
        now += (random.nextInt(8) == 0 ? 500 + random.nextInt(2_000) : 1 + random.nextInt(200)) * MS;
        happens(new Event.LeaderLease(now + 300 * MS));
        for (Standby s : standbys) {
            happens(new Event.Heard(s.peer.node()));
            happens(new Event.Received(s.peer.node(), report(s)));
        }
        happens(new Event.Tick(0));
    }

    private CoordMessage.Report report(Standby s) {
        var status = new LocalStatus(
                s.generation,
                0,
                index,
                state.version(),
                state.epoch(),
                ServerState.STANDBY,
                1,
                false,
                null,
                lsn(s.flushed),
                s.streams ? state.epoch() : 0,
                lsn(s.flushed),
                true,
                "");
        return new CoordMessage.Report(1, s.peer.incarnation(), status);
    }

    // ---- what the core asks for

    private void happens(Event event) {
        inbox.add(event);
        for (Event next = inbox.poll(); next != null; next = inbox.poll()) {
            core.on(now, next).forEach(this::carryOut);
        }
    }

    private void carryOut(Action action) {
        switch (action) {
            case Action.Propose a -> uncommitted.add(a.command());
            case Action.StartPrimary a -> {
                inbox.add(new Event.ServerChanged(ServerState.PRIMARY, 1));
                inbox.add(new Event.ServerPrimaryReady(1, 1, Lsn.NONE, lsn(wal)));
            }
            case Action.OpenVoice a -> inbox.add(new Event.VoiceOpened());
            case Action.ProbeCommit a -> inbox.add(new Event.ProbeCommitWaited(a.attempt()));
            case Action.ReadInsertPosition a -> inbox.add(new Event.InsertPositionRead(a.version(), lsn(wal)));
            case Action.CloseStreamsBelow a -> inbox.add(new Event.StreamsClosedBelow(a.epoch()));
            case Action.SetPermit a -> {
                if (a.permit() == null) {
                    notObeyed.clear();
                    permit = null;
                } else {
                    notObeyed.add(a.permit());
                }
            }
            case Action.OpenFront a -> open = true;
            case Action.CloseFront a -> open = false;
            default -> {
                // Told to members, to people, or to Raft about who belongs to it.
            }
        }
    }

    /** All that is written is flushed on the primary. */
    private void speak() {
        if (permit == null) {
            return;
        }
        Map<MemberRef, Lsn> flushed = new HashMap<>();
        standbys.stream().filter(s -> s.streams).forEach(s -> flushed.put(s.ref(), lsn(s.flushed)));
        int allowed = SimPostgres.records(VoiceRule.position(permit, flushed, lsn(wal)));
        if (allowed > voice) {
            voice = allowed;
            happens(new Event.VoiceReported(lsn(voice)));
        }
        if (open && voice > shown) {
            shown = voice;
            check();
        }
    }

    private void check() {
        Rule rule = state.rule();
        if (rule.k() > 0) {
            int lacking = (int) standbys.stream()
                    .filter(s -> rule.set().contains(s.ref()) && s.flushed < shown)
                    .count();
            quorums.onRule(rule.toString(), shown, lacking, rule.set().size() - rule.k());
        }
    }
}
