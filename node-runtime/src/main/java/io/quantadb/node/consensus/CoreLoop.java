package io.quantadb.node.consensus;

import static io.quantadb.node.common.LogKeys.PEER;
import static io.quantadb.node.common.LogKeys.RAFT;
import static io.quantadb.node.common.LogKeys.TERM;

import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.EntryKind;
import io.quantadb.node.raft.FollowerProgress;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.MembershipChange;
import io.quantadb.node.raft.Outbound;
import io.quantadb.node.raft.ProposeResult;
import io.quantadb.node.raft.RaftCodec;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.raft.RaftCore;
import io.quantadb.node.raft.RaftMessage;
import io.quantadb.node.raft.RaftOutput;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.Role;
import io.quantadb.node.raft.Snapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What happens on the core thread: feeds the core and carries out its outputs. Owned by that thread. */
final class CoreLoop {
    private static final Logger LOGGER = LoggerFactory.getLogger(CoreLoop.class);
    private static final double NANOS_PER_MS = 1e6;

    private record Proposal(long term, Consumer<ProposalOutcome> done) {}

    private record WaitingRead(long index, Consumer<ProposalOutcome> done) {}

    private final RaftNodeConfig config;
    private final ControlDispatcher network;
    private final StateMachine stateMachine;
    private final RaftListener listener;
    private final MonotonicClock clock;
    private final LogWriter log;
    private final RaftCore core;
    private final Pace pace;
    private final TreeMap<Long, Proposal> proposals = new TreeMap<>();
    private final Map<Long, Consumer<ProposalOutcome>> askedReads = new HashMap<>();
    private final List<WaitingRead> waitingReads = new ArrayList<>();
    private long nextRead = 1;
    private long applied;
    private long written;
    private long toldLease;
    private Role toldRole = Role.FOLLOWER;
    private boolean statusChanged = true;

    CoreLoop(
            RaftNodeConfig config,
            RaftRestored restored,
            ControlDispatcher network,
            StateMachine stateMachine,
            RaftListener listener,
            MonotonicClock clock,
            RandomGenerator random,
            LogWriter log) {
        this.config = config;
        this.network = network;
        this.stateMachine = stateMachine;
        this.listener = listener;
        this.clock = clock;
        this.log = log;
        this.core = new RaftCore(config.raft(), config.self(), restored, clock.nanos(), random);
        this.pace = new Pace(listener, clock.nanos());
        this.toldLease = core.leaseUntilNanos();
        Snapshot snapshot = restored.snapshot();
        if (snapshot != null) {
            stateMachine.restore(snapshot.index(), snapshot.state());
            applied = snapshot.index();
        }
    }

    // ---- inputs

    void receive(RaftCodec.Envelope e) {
        long now = clock.nanos();
        core.receive(e.from(), e.to(), e.message(), now);
        if (e.message() instanceof RaftMessage.HeartbeatReply r
                && core.role() == Role.LEADER
                && r.term() == core.term()) {
            pace.answered(e.from().node(), now - r.sentNanos(), now);
        }
    }

    void heard(NodeId node) {
        core.heard(node, clock.nanos());
    }

    void written(long writeId) {
        if (writeId > written) {
            written = writeId;
            core.written(writeId, clock.nanos());
        }
    }

    /** @param lateNanos after it was due */
    void tick(long lateNanos) {
        long now = clock.nanos();
        pace.ticked(lateNanos, core.role() == Role.LEADER, now);
        core.tick(now);
        pump();
        listener.onTick(now);
        statusChanged = true;
    }

    void propose(byte[] command, Consumer<ProposalOutcome> done) {
        proposed(core.propose(command, clock.nanos()), done);
    }

    void changeMembership(MembershipChange change, Consumer<ProposalOutcome> done) {
        proposed(core.changeMembership(change, clock.nanos()), done);
    }

    ProposalOutcome transfer(PeerId target) {
        return switch (core.transfer(target, clock.nanos())) {
            case ProposeResult.Accepted a -> new ProposalOutcome.Committed(0);
            case ProposeResult.NotLeader n -> new ProposalOutcome.NotLeader(n.leader());
            case ProposeResult.Busy b -> new ProposalOutcome.Busy(b.reason());
            case ProposeResult.Refused r -> new ProposalOutcome.Refused(r.reason());
        };
    }

    void readIndex(Consumer<ProposalOutcome> done) {
        long id = nextRead++;
        askedReads.put(id, done);
        core.readIndex(id, clock.nanos());
    }

    void setRank(int rank) {
        core.setRank(rank);
    }

    void retime(RaftConfig timers) {
        core.retime(timers, clock.nanos());
    }

    private void proposed(ProposeResult result, Consumer<ProposalOutcome> done) {
        switch (result) {
            case ProposeResult.Accepted a -> proposals.put(a.index(), new Proposal(a.term(), done));
            case ProposeResult.NotLeader n -> done.accept(new ProposalOutcome.NotLeader(n.leader()));
            case ProposeResult.Busy b -> done.accept(new ProposalOutcome.Busy(b.reason()));
            case ProposeResult.Refused r -> done.accept(new ProposalOutcome.Refused(r.reason()));
        }
    }

    // ---- outputs

    /** Carries out outputs until there are none; callbacks may have caused new ones. */
    void pump() {
        for (RaftOutput out = core.drain(); !out.isEmpty(); out = core.drain()) {
            out.writes().forEach(log::submit);
            out.messages().forEach(this::send);
            Snapshot restore = out.restore();
            if (restore != null) {
                stateMachine.restore(restore.index(), restore.state());
                applied = restore.index();
                settleUpTo(applied);
            }
            out.committed().forEach(this::apply);
            if (core.snapshotDue()) {
                core.snapshotTaken(applied, stateMachine.snapshot());
            }
            out.lost().forEach(l -> settle(l.index(), new ProposalOutcome.Lost()));
            out.reads().forEach(this::answer);
            out.regressed().forEach(this::tellRegressed);
            if (out.changed() || !out.committed().isEmpty() || restore != null) {
                statusChanged = true;
                tellRole();
                listener.onChanged(status());
            }
            tellLease();
        }
        tellLease();
    }

    private void send(Outbound o) {
        byte[] bytes =
                RaftCodec.encode(new RaftCodec.Envelope(config.clusterIdHash(), config.self(), o.to(), o.message()));
        boolean queued = network.send(o.to().node(), ControlDispatcher.RAFT, bytes);
        if (!queued) {
            // Not connected or its queue is full: Raft asks again by itself.
            LOGGER.atTrace().addMarker(RAFT).addKeyValue(PEER, o.to()).log("message not sent");
        }
    }

    private void apply(LogEntry e) {
        if (e.kind() == EntryKind.COMMAND) {
            stateMachine.apply(e.index(), e.term(), e.data());
        }
        applied = e.index();
        Proposal p = proposals.remove(e.index());
        if (p != null) {
            boolean own = p.term() == e.term();
            p.done().accept(own ? new ProposalOutcome.Committed(e.index()) : new ProposalOutcome.Lost());
        }
        answerWaitingReads();
    }

    private void settle(long index, ProposalOutcome outcome) {
        Proposal p = proposals.remove(index);
        if (p != null) {
            p.done().accept(outcome);
        }
    }

    private void settleUpTo(long index) {
        List<Long> passed = List.copyOf(proposals.headMap(index, true).keySet());
        passed.forEach(i -> settle(i, new ProposalOutcome.Lost()));
    }

    private void answer(RaftOutput.ReadReady r) {
        Consumer<ProposalOutcome> done = askedReads.remove(r.requestId());
        if (done == null) {
            return;
        }
        if (r.refused()) {
            done.accept(new ProposalOutcome.NotLeader(core.leader()));
        } else {
            waitingReads.add(new WaitingRead(r.index(), done));
            answerWaitingReads();
        }
    }

    private void answerWaitingReads() {
        List<WaitingRead> ready =
                waitingReads.stream().filter(w -> w.index() <= applied).toList();
        waitingReads.removeAll(ready);
        ready.forEach(w -> w.done().accept(new ProposalOutcome.Committed(w.index())));
    }

    private void tellRegressed(PeerId peer) {
        LOGGER.atWarn()
                .addMarker(RAFT)
                .addKeyValue(PEER, peer)
                .addKeyValue(TERM, core.term())
                .log("a member has lost entries that it had acknowledged and is not counted any more");
        listener.onRegressed(peer);
    }

    private void tellRole() {
        Role role = core.role();
        // A pre-vote changes nothing that anybody outside needs to know.
        Role shown = role == Role.PRE_CANDIDATE ? Role.FOLLOWER : role;
        if (shown != toldRole) {
            toldRole = shown;
            PeerId leader = core.leader();
            LOGGER.atInfo()
                    .addMarker(RAFT)
                    .addKeyValue(TERM, core.term())
                    .addKeyValue("leader", leader == null ? "none" : leader.node())
                    .log("Transitioning to {} state", shown);
        }
    }

    private void tellLease() {
        long lease = core.leaseUntilNanos();
        if (lease != toldLease) {
            toldLease = lease;
            listener.onLease(lease);
        }
    }

    // ---- being asked

    boolean takeStatusChanged() {
        boolean was = statusChanged;
        statusChanged = false;
        return was;
    }

    long leaseUntilNanos() {
        return core.leaseUntilNanos();
    }

    RaftStatus status() {
        long now = clock.nanos();
        return new RaftStatus(
                config.self(),
                core.role(),
                core.term(),
                core.leader(),
                core.commitIndex(),
                applied,
                core.lastIndex(),
                core.membership(),
                core.followers().stream().map(f -> follower(f, now)).toList(),
                core.leaseUntilNanos(),
                core.ownTermCommitted() && applied >= core.commitIndex(),
                core.electedByTransfer(),
                core.electedAtNanos(),
                core.disowned(),
                core.regressed());
    }

    private RaftStatus.Follower follower(FollowerProgress f, long now) {
        return new RaftStatus.Follower(
                f.peer(),
                f.voter(),
                f.match(),
                Math.max(0, core.lastIndex() - f.match()),
                f.rttNanos() < 0 ? -1 : f.rttNanos() / NANOS_PER_MS,
                f.failures(),
                Math.max(0, Math.round((now - f.lastHeardNanos()) / NANOS_PER_MS)),
                f.regressed());
    }
}
