package io.quantadb.node.raft;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One member of a Raft group as a pure state machine: messages, ticks and disk completions in; messages, disk writes
 * and committed entries out. It keeps the transitions between the roles and leaves the rest to its parts.
 *
 * <p>The caller gives every input with the time on its own monotonic clock, which never goes back, feeds all input
 * that is waiting before it calls {@link #tick}, and calls {@link #drain} after each input or batch of inputs. Owned
 * by one thread. An {@link IllegalStateException} means that an assertion about the protocol is broken: stop.
 */
public final class RaftCore {
    private final CoreState s;
    private final Election election;
    private final Following following;
    private @Nullable Leadership leadership;
    private long lastTick;
    /** The end of the last lease, kept so that it never seems to go on. */
    private long leaseUntil;

    public RaftCore(RaftConfig config, PeerId self, RaftRestored restored, long nowNanos, RandomGenerator random) {
        this(config, self, restored, nowNanos, random, new RaftRules());
    }

    /** With other rules: for tests that take one away. */
    public RaftCore(
            RaftConfig config,
            PeerId self,
            RaftRestored restored,
            long nowNanos,
            RandomGenerator random,
            RaftRules rules) {
        this.s = new CoreState(config, self, rules, random, restored, nowNanos);
        this.election = new Election(s);
        this.following = new Following(s);
        this.lastTick = nowNanos;
        this.leaseUntil = nowNanos;
    }

    // ---- inputs

    /** To be called every {@code RaftConfig.tick}; when it comes much later, this node did not run. */
    public void tick(long nowNanos) {
        long gap = nowNanos - lastTick - s.config.tickNanos();
        lastTick = nowNanos;
        advance(nowNanos);
        if (gap > s.config.tickNanos()) {
            election.extend(gap);
            if (leadership != null) {
                leadership.extend(gap);
            }
        }
        if (leadership != null) {
            if (!leadership.tick()) {
                becomeFollower(s.hard.term(), null);
            }
        } else if (election.tick()) {
            becomeLeader();
        }
    }

    /** A message whose addressee has been checked already. */
    public void receive(PeerId from, RaftMessage m, long nowNanos) {
        receive(from, s.self, m, nowNanos);
    }

    /** A message for {@code to}; one for another incarnation of this node is ignored. */
    public void receive(PeerId from, PeerId to, RaftMessage m, long nowNanos) {
        advance(nowNanos);
        if (!s.rules.samePeer(to, s.self) || from.node().equals(s.self.node())) {
            return;
        }
        switch (m) {
            case RaftMessage.PreVote v -> onPreVote(from, v);
            case RaftMessage.Vote v -> onVote(from, v);
            case RaftMessage.Append a -> onLeaderMessage(from, a);
            case RaftMessage.Heartbeat h -> onLeaderMessage(from, h);
            case RaftMessage.InstallSnapshot i -> onLeaderMessage(from, i);
            case RaftMessage.TimeoutNow t -> onTimeoutNow(from, t);
            case RaftMessage.Disowned d -> onDisowned(d);
            case RaftMessage.PreVoteReply r -> onReply(from, r);
            case RaftMessage.VoteReply r -> onReply(from, r);
            case RaftMessage.AppendReply r -> onReply(from, r);
            case RaftMessage.HeartbeatReply r -> onReply(from, r);
        }
    }

    /** Any authenticated message came from that node: a sign of life of the leader, not of its lease. */
    public void heard(NodeId node, long nowNanos) {
        advance(nowNanos);
        election.heardNode(node);
    }

    /** That write, and every one before it, is durable. */
    public void written(long writeId, long nowNanos) {
        advance(nowNanos);
        long durable = s.out.written(writeId, s.log);
        s.durable = Math.max(s.durable, durable);
        if (leadership != null) {
            leadership.advanceCommit();
        } else if (election.countOwnVote()) {
            becomeLeader();
        }
    }

    /** Appends a command; {@link RaftOutput#committed()} or {@link RaftOutput#lost()} tells how it went on. */
    public ProposeResult propose(byte[] command, long nowNanos) {
        advance(nowNanos);
        if (command.length > s.config.maxCommandBytes()) {
            return new ProposeResult.Refused("a command of %d bytes is larger than the bound of %d"
                    .formatted(command.length, s.config.maxCommandBytes()));
        }
        return leadership == null
                ? new ProposeResult.NotLeader(s.leader)
                : leadership.propose(EntryKind.COMMAND, command.clone());
    }

    /** Begins one change; Busy while another is under way or before an entry of this term is committed. */
    public ProposeResult changeMembership(MembershipChange change, long nowNanos) {
        advance(nowNanos);
        return leadership == null ? new ProposeResult.NotLeader(s.leader) : leadership.changeMembership(change);
    }

    /** Gives the lease back and asks that voter to campaign; given up after the longest election timeout. */
    public ProposeResult transfer(PeerId target, long nowNanos) {
        advance(nowNanos);
        return leadership == null ? new ProposeResult.NotLeader(s.leader) : leadership.transfer(target);
    }

    /** Asks from which applied index on a read is linearizable; answered by a {@link RaftOutput.ReadReady}. */
    public void readIndex(long requestId, long nowNanos) {
        advance(nowNanos);
        if (leadership == null) {
            s.reads.add(new RaftOutput.ReadReady(requestId, -1));
        } else {
            leadership.readIndex(requestId);
        }
    }

    /** The state machine after {@code index}, which was applied; the log before it is dropped but for a little. */
    public void snapshotTaken(long index, byte[] state) {
        long before = s.snapshot == null ? 0 : s.snapshot.index();
        if (index <= before || index > s.emitted || s.out.installStaged()) {
            return;
        }
        Snapshot taken = new Snapshot(index, s.log.term(index), s.memberships.at(index), state.clone());
        s.snapshot = taken;
        long keepFrom = Math.max(s.log.baseIndex(), index - s.config.keepEntries());
        if (keepFrom > s.log.baseIndex()) {
            s.log.compactTo(keepFrom);
        }
        s.memberships.compactedTo(index);
        s.out.stageSnapshot(taken, Math.max(0, keepFrom - 1));
    }

    /** Whether enough has been committed since the last snapshot to take another. */
    public boolean snapshotDue() {
        return s.emitted - (s.snapshot == null ? 0 : s.snapshot.index()) >= s.config.maxLogEntries();
    }

    /**
     * Other timers from now on: the election timeouts and the lease of that configuration. Longer ones must be on this
     * node's disk before, shorter ones may be only after the longer have passed since, so that a restart finds no less
     * than what was promised.
     */
    public void retime(RaftConfig timers, long nowNanos) {
        advance(nowNanos);
        s.config = s.config.withTimers(timers);
        election.retimed();
    }

    /** 0 campaigns first when the leader is lost, 1 next; negative: by order of the names. */
    public void setRank(int rank) {
        election.setRank(rank);
    }

    /** What is to be done; see {@link RaftOutput} for the order. */
    public RaftOutput drain() {
        Leadership leads = leadership;
        if (leads != null) {
            leads.advanceCommit();
            leads.replicate();
            if (leads.removedItself()) {
                becomeFollower(s.hard.term(), null);
            }
        }
        DiskWrite write = s.out.takeWrite(s.log);
        List<LogEntry> committed = new ArrayList<>();
        while (s.emitted < s.commit) {
            s.emitted++;
            committed.add(s.log.entry(s.emitted));
        }
        RaftOutput output = new RaftOutput(
                write == null ? List.of() : List.of(write),
                s.out.takeMessages(),
                s.restore,
                committed,
                List.copyOf(s.reads),
                List.copyOf(s.lost),
                List.copyOf(s.regressed),
                s.changed);
        s.restore = null;
        s.reads.clear();
        s.lost.clear();
        s.regressed.clear();
        s.changed = false;
        return output;
    }

    // ---- transitions

    private void advance(long nowNanos) {
        if (nowNanos - s.now > 0) {
            s.now = nowNanos;
        }
    }

    private void becomeFollower(long term, @Nullable PeerId leader) {
        Leadership left = leadership;
        s.changed |= s.role != Role.FOLLOWER || s.hard.term() != term || (leader != null && !leader.equals(s.leader));
        if (left != null) {
            leaseUntil = left.leaseUntil() - s.now > 0 ? s.now : left.leaseUntil();
            leadership = null;
            election.stoppedLeading(left.lentUntil());
            left.pendingReads().forEach(id -> s.reads.add(new RaftOutput.ReadReady(id, -1)));
            for (long i = Math.max(s.commit + 1, left.openingIndex()); i <= s.log.lastIndex(); i++) {
                s.lost.add(new RaftOutput.Lost(i, s.log.term(i)));
            }
            s.leader = null;
        }
        s.role = Role.FOLLOWER;
        if (term > s.hard.term()) {
            s.setHard(s.hard.inTerm(term));
            s.leader = null;
        }
        if (leader != null) {
            s.leader = leader;
        }
    }

    private void becomeLeader() {
        s.role = Role.LEADER;
        s.leader = s.self;
        s.changed = true;
        leadership = new Leadership(s, election.byTransfer(), election.awaitNanos());
    }

    private void onPreVote(PeerId from, RaftMessage.PreVote m) {
        if (leadership != null) {
            leadership.onStranger(from);
        }
        election.onPreVote(from, m);
    }

    private void onVote(PeerId from, RaftMessage.Vote m) {
        if (election.ignoresVote(m)) {
            return;
        }
        if (m.term() > s.hard.term()) {
            becomeFollower(m.term(), null);
        }
        election.onVote(from, m);
    }

    private void onLeaderMessage(PeerId from, RaftMessage m) {
        if (m.term() < s.hard.term()) {
            // The sender led once; its own clock's stamp is of no use to it any more, the term is.
            s.out.send(from, new RaftMessage.HeartbeatReply(s.hard.term(), s.log.lastIndex(), 0, 0));
            return;
        }
        boolean other = m.term() == s.hard.term() && s.leader != null && !s.leader.equals(from);
        if (other) {
            throw new IllegalStateException("two leaders in term %d: %s and %s".formatted(m.term(), s.leader, from));
        }
        becomeFollower(m.term(), from);
        election.heardLeader();
        switch (m) {
            case RaftMessage.Append a -> following.onAppend(from, a);
            case RaftMessage.Heartbeat h -> following.onHeartbeat(from, h);
            case RaftMessage.InstallSnapshot i -> following.onSnapshot(from, i);
            default -> throw new IllegalStateException("not a leader's message: " + m);
        }
    }

    private void onTimeoutNow(PeerId from, RaftMessage.TimeoutNow m) {
        boolean asked = m.term() == s.hard.term() && from.equals(s.leader) && leadership == null;
        if (asked && election.onTimeoutNow()) {
            becomeLeader();
        }
    }

    private void onDisowned(RaftMessage.Disowned m) {
        if (m.term() >= s.hard.term() && leadership == null) {
            s.setHard(s.hard.asDisowned(m.regressed()));
        }
    }

    private void onReply(PeerId from, RaftMessage m) {
        boolean member = s.membership().all().stream().anyMatch(p -> s.rules.samePeer(p, from));
        if (!member) {
            return;
        }
        if (m.term() > s.hard.term()) {
            becomeFollower(m.term(), null);
            return;
        }
        boolean won = false;
        if (m instanceof RaftMessage.PreVoteReply r) {
            won = election.onPreVoteReply(from, r);
        } else if (m.term() == s.hard.term()) {
            switch (m) {
                case RaftMessage.VoteReply r -> won = election.onVoteReply(from, r);
                case RaftMessage.AppendReply r when leadership != null -> leadership.onAppendReply(from, r);
                case RaftMessage.HeartbeatReply r when leadership != null -> leadership.onHeartbeatReply(from, r);
                default -> {
                    // An answer to something that this node does no more.
                }
            }
        }
        if (won) {
            becomeLeader();
        }
    }

    // ---- being asked

    public PeerId self() {
        return s.self;
    }

    public Role role() {
        return s.role;
    }

    public long term() {
        return s.hard.term();
    }

    /** The leader of this term, when known; this node itself when it leads. */
    public @Nullable PeerId leader() {
        return s.leader;
    }

    public @Nullable PeerId votedFor() {
        return s.hard.vote();
    }

    /** Whether this incarnation may not take part any more; see {@link HardState}. */
    public boolean disowned() {
        return s.hard.disowned();
    }

    /** Whether it may not because it has lost entries that it had acknowledged. */
    public boolean regressed() {
        return s.hard.regressed();
    }

    public long commitIndex() {
        return s.commit;
    }

    public long lastIndex() {
        return s.log.lastIndex();
    }

    /** The membership in force, committed or not. */
    public Membership membership() {
        return s.membership();
    }

    /** Whether this node leads and an entry of its term is committed. */
    public boolean ownTermCommitted() {
        return leadership != null && leadership.ownTermCommitted();
    }

    /** Until when this node, leading, may act alone on its own clock; a time not in the future when it may not. */
    public long leaseUntilNanos() {
        return leadership != null ? leadership.leaseUntil() : leaseUntil;
    }

    /** Whether this node leads because the leader before it asked for that. */
    public boolean electedByTransfer() {
        return leadership != null && leadership.byTransfer();
    }

    /** When this node was elected; meaningful while it leads. */
    public long electedAtNanos() {
        return leadership != null ? leadership.electedAt() : s.now;
    }

    /** A leader's view of the other members, by name; empty elsewhere. */
    public List<FollowerProgress> followers() {
        return leadership == null
                ? List.of()
                : leadership.members().stream()
                        .map(p -> p.view(s.membership().isVoter(p.peer)))
                        .toList();
    }
}
