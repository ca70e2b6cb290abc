package io.quantadb.node.raft;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.HashSet;
import java.util.Set;

/**
 * When to campaign, whom to vote for, and who has voted for this node. Changes the role to PRE_CANDIDATE and
 * CANDIDATE; winning is told to {@link RaftCore}.
 *
 * <p>A member's patience with a silent leader is {@code electionMin} plus its rank's share of the span up to
 * {@code electionMax} and a little jitter, so that survivors campaign one after another. Until {@code electionMin} is
 * over since a leader was heard, since this node stopped leading, or since it started, it votes for nobody but in a
 * transfer: the leader's lease rests on that.
 */
final class Election {
    private static final int JITTER_PARTS = 5;
    private static final int HEARD_ROUNDS = 2;

    private final CoreState s;
    private final Set<PeerId> granted = new HashSet<>();
    private long deadline;
    /** No vote before this, except in a transfer; it never goes back, whatever becomes of the timers. */
    private long stickyUntil;
    /** With votes for a transfer: the longest that one of them would have waited otherwise. */
    private long votersWait;

    private long leaderHeardAt;
    private boolean transfer;
    private boolean ownVoteCounted;
    private long askAgainAt;
    private int rank = -1;

    Election(CoreState s) {
        this.s = s;
        this.leaderHeardAt = s.now;
        // Before the restart this node may have acknowledged a leader whose lease still runs. A group of one that
        // was just made has acknowledged nobody.
        boolean justMade = s.hard.term() <= 1
                && s.log.lastIndex() <= 1
                && s.membership().voters().size() <= 1;
        this.stickyUntil = justMade ? s.now : s.now + s.config.electionMinNanos();
        this.deadline = justMade ? s.now : s.now + patience();
    }

    void setRank(int newRank) {
        rank = newRank;
    }

    boolean byTransfer() {
        return transfer;
    }

    /** By transfer: how long the lease of a leader before may still last. */
    long awaitNanos() {
        return s.rules.awaited(s.config.electionMinNanos(), votersWait);
    }

    /** The timers have changed: what was promised stays, and patience with the leader of now becomes longer at once. */
    void retimed() {
        if (s.role == Role.FOLLOWER) {
            deadline = later(deadline, leaderHeardAt + patience());
        }
    }

    /** A message of the leader of this term arrived. */
    void heardLeader() {
        leaderHeardAt = s.now;
        stickyUntil = later(stickyUntil, s.now + s.config.electionMinNanos());
        deadline = s.now + patience();
    }

    /** Something else of the leader's node arrived; it delays an election, though not for ever. */
    void heardNode(NodeId node) {
        PeerId leader = s.leader;
        boolean lately = s.now - leaderHeardAt < HEARD_ROUNDS * s.config.electionMaxNanos();
        if (leader != null && s.role == Role.FOLLOWER && leader.node().equals(node) && lately) {
            deadline = later(deadline, s.now + patience());
        }
    }

    /** This node led until now; those to whom it lent its lease count on its not voting for another yet. */
    void stoppedLeading(long lentUntil) {
        stickyUntil = later(stickyUntil, s.rules.mayVoteAfterLeading(s.now, s.config.electionMinNanos(), lentUntil));
        deadline = s.now + patience();
    }

    /** This node did not run for so long; that is not the leader's fault. */
    void extend(long gapNanos) {
        deadline += gapNanos;
    }

    /** Whether this node has become leader (a group of one needs no messages). */
    boolean tick() {
        if (s.role == Role.PRE_CANDIDATE && s.now - askAgainAt >= 0) {
            askAgain();
        }
        if (s.now - deadline >= 0 && s.rules.mayCampaign(s.now, stickyUntil) && mayCampaign()) {
            return preCampaign();
        }
        return s.role == Role.CANDIDATE && countOwnVote();
    }

    /** The leader asked for it. */
    boolean onTimeoutNow() {
        return mayCampaign() && campaign(true);
    }

    void onPreVote(PeerId from, RaftMessage.PreVote m) {
        long wait = Math.max(0, stickyUntil - s.now);
        if (s.role == Role.LEADER) {
            wait = s.config.electionMinNanos();
        }
        boolean granted = wait == 0 && m.nextTerm() > s.hard.term() && electable(from, m.lastIndex(), m.lastTerm());
        s.out.send(from, new RaftMessage.PreVoteReply(s.hard.term(), m.nextTerm(), granted, wait));
    }

    boolean onPreVoteReply(PeerId from, RaftMessage.PreVoteReply m) {
        if (s.role != Role.PRE_CANDIDATE || m.nextTerm() != s.hard.term() + 1) {
            return false;
        }
        if (m.granted()) {
            return grant(from) && campaign(false);
        }
        if (m.waitNanos() > 0) {
            long again = s.now + Math.min(m.waitNanos(), s.config.heartbeatNanos());
            askAgainAt = askAgainAt - again > 0 ? again : askAgainAt;
        }
        return false;
    }

    /** Whether a vote request must be left alone, its term included (thesis §4.2.3). */
    boolean ignoresVote(RaftMessage.Vote m) {
        return !m.transfer() && (s.role == Role.LEADER || s.now - stickyUntil < 0);
    }

    /** The term has been adopted already. */
    void onVote(PeerId from, RaftMessage.Vote m) {
        boolean granted = m.term() == s.hard.term()
                && (s.role == Role.FOLLOWER || s.role == Role.PRE_CANDIDATE)
                && s.rules.mayVote(s.hard, from)
                && electable(from, m.lastIndex(), m.lastTerm());
        if (granted) {
            s.setHard(s.hard.votedFor(from));
            s.role = Role.FOLLOWER;
            deadline = s.now + patience();
        }
        s.out.send(from, new RaftMessage.VoteReply(s.hard.term(), granted, Math.max(0, stickyUntil - s.now)));
    }

    boolean onVoteReply(PeerId from, RaftMessage.VoteReply m) {
        if (s.role != Role.CANDIDATE || m.term() != s.hard.term() || !m.granted()) {
            return false;
        }
        votersWait = Math.max(votersWait, m.waitNanos());
        return grant(from);
    }

    /** The own vote counts once it is on disk. */
    boolean countOwnVote() {
        if (s.role != Role.CANDIDATE || ownVoteCounted || !s.out.isWritten(s.out.hardWrite())) {
            return false;
        }
        ownVoteCounted = true;
        return grant(s.self);
    }

    private boolean mayCampaign() {
        return s.role != Role.LEADER && mayBeNeeded() && !s.hard.disowned();
    }

    /** A voter, or one whose removal may not be committed: it may hold the only log that can win (thesis §4.2.2). */
    private boolean mayBeNeeded() {
        long changedAt = s.memberships.currentIndex();
        boolean removalOpen =
                changedAt > s.commit && s.memberships.at(changedAt - 1).isVoter(s.self);
        return s.membership().isVoter(s.self) || removalOpen;
    }

    private boolean preCampaign() {
        transfer = false;
        begin(Role.PRE_CANDIDATE);
        askAgain();
        return grant(s.self) && campaign(false);
    }

    private void askAgain() {
        askAgainAt = s.now + s.config.heartbeatNanos();
        RaftMessage m = new RaftMessage.PreVote(s.hard.term(), s.hard.term() + 1, s.log.lastIndex(), s.log.lastTerm());
        askVoters(m);
    }

    private boolean campaign(boolean byTransfer) {
        transfer = byTransfer;
        votersWait = Math.max(0, stickyUntil - s.now);
        begin(Role.CANDIDATE);
        s.setHard(s.hard.inTerm(s.hard.term() + 1).votedFor(s.self));
        askVoters(new RaftMessage.Vote(s.hard.term(), s.log.lastIndex(), s.log.lastTerm(), byTransfer));
        ownVoteCounted = false;
        return countOwnVote();
    }

    private void begin(Role role) {
        s.role = role;
        s.leader = null;
        s.changed = true;
        granted.clear();
        // A split is broken by chance, and sooner than the patience with a leader would.
        long half = s.config.electionMinNanos() / 2;
        deadline = s.now + half + s.random.nextLong(half);
    }

    private void askVoters(RaftMessage m) {
        for (PeerId voter : s.membership().voters()) {
            if (!voter.equals(s.self) && !granted.contains(voter)) {
                s.out.send(voter, m);
            }
        }
    }

    private boolean grant(PeerId from) {
        for (PeerId voter : s.membership().voters()) {
            if (s.rules.samePeer(voter, from)) {
                granted.add(voter);
            }
        }
        return granted.size() >= s.membership().majority();
    }

    /** Raft §5.4.1, and: a stranger may only be one that knows a newer membership than this node. */
    private boolean electable(PeerId from, long lastIndex, long lastTerm) {
        if (s.hard.disowned() || !s.log.isNotAheadOf(lastIndex, lastTerm)) {
            return false;
        }
        boolean same = lastIndex == s.log.lastIndex() && lastTerm == s.log.lastTerm();
        return s.membership().isVoter(from) || !same;
    }

    /** How long to wait for a leader; see the class comment. */
    private long patience() {
        long span = s.config.electionMaxNanos() - s.config.electionMinNanos();
        int steps = Math.max(1, s.membership().voters().size() - 1);
        long step = span / steps;
        int mine = Math.min(rank >= 0 ? rank : orderAmongVoters(), steps - 1);
        return s.config.electionMinNanos() + mine * step + s.random.nextLong(Math.max(1, step / JITTER_PARTS));
    }

    private int orderAmongVoters() {
        int order = 0;
        for (PeerId voter : s.membership().voters()) {
            if (voter.equals(s.self)) {
                return order;
            }
            if (!voter.equals(s.leader)) {
                order++;
            }
        }
        return order;
    }

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }
}
