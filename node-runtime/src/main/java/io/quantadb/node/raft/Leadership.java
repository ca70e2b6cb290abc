package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One term of office: replication, commit, lease, transfer, read index. Made when an election is won and thrown away
 * when the leader steps down, so nothing of it can be mistaken for a later term's.
 */
final class Leadership {
    private static final int ENTRIES_PER_APPEND = 256;
    private static final int RETRY_HEARTBEATS = 4;
    private static final int READS_MAX = 1024;

    private record PendingRead(long requestId, long index, long askedAt) {}

    private final CoreState s;
    private final long term;
    private final long electedAt;
    private final boolean byTransfer;
    private final long openingIndex;
    private final Lease lease;
    private final Map<PeerId, Progress> members = new TreeMap<>();
    private final List<PendingRead> reads = new ArrayList<>();
    private long nextHeartbeat;
    private long lastHeartbeat;
    private boolean tellCommit;
    private @Nullable PeerId transferTo;
    private long transferUntil;
    private boolean timeoutNowSent;

    /** @param awaitNanos by transfer: how long the lease of a leader before may still last */
    Leadership(CoreState s, boolean byTransfer, long awaitNanos) {
        this.s = s;
        this.term = s.hard.term();
        this.electedAt = s.now;
        this.byTransfer = byTransfer;
        this.lease = new Lease(s.now, byTransfer ? s.now + awaitNanos : s.now);
        this.openingIndex = s.log.lastIndex() + 1;
        syncMembers(openingIndex);
        s.append(new LogEntry(openingIndex, term, EntryKind.NOOP, new byte[0]));
        heartbeat();
    }

    // ---- time

    /** False when this leader has not heard a majority for too long and must step down. */
    boolean tick() {
        if (s.now - nextHeartbeat >= 0) {
            heartbeat();
        }
        if (transferTo != null && s.now - transferUntil >= 0) {
            transferTo = null;
            lease.resume();
            s.changed = true;
        }
        for (Progress p : members.values()) {
            boolean waiting = p.inflight > 0 || p.snapshotSent;
            if (waiting && s.now - p.lastSent >= RETRY_HEARTBEATS * s.config.heartbeatNanos()) {
                p.restartFrom(p.match + 1);
            }
        }
        return hearsMajority();
    }

    /** This node did not run for so long; the silence of the members is not theirs. Never lengthens the lease. */
    void extend(long gapNanos) {
        members.values().forEach(p -> p.lastHeard += gapNanos);
    }

    private boolean hearsMajority() {
        int heard = 0;
        for (PeerId voter : s.membership().voters()) {
            Progress p = members.get(voter);
            boolean lately = p != null && !p.regressed && s.now - p.lastHeard < s.config.electionMaxNanos();
            heard += voter.equals(s.self) || lately ? 1 : 0;
        }
        return heard >= s.membership().majority();
    }

    // ---- what members answer

    void onHeartbeatReply(PeerId from, RaftMessage.HeartbeatReply m) {
        Progress p = answered(from, m.lastIndex(), m.sentNanos(), m.waitNanos());
        if (p == null) {
            return;
        }
        // Messages of one connection arrive in order: what was sent before this heartbeat and is not there was lost.
        boolean lost = !p.probing && m.lastIndex() < p.next - 1 && m.sentNanos() - p.lastSent > 0;
        if (lost) {
            p.restartFrom(Math.min(p.next, m.lastIndex() + 1));
        }
    }

    void onAppendReply(PeerId from, RaftMessage.AppendReply m) {
        Progress p = answered(from, m.lastIndex(), m.sentNanos(), m.waitNanos());
        if (p == null) {
            return;
        }
        p.inflight = Math.max(0, p.inflight - 1);
        p.snapshotSent = false;
        if (m.accepted()) {
            p.matched(Math.min(m.match(), s.log.lastIndex()), s.now);
            p.probing = false;
            advanceCommit();
            continueTransfer();
        } else if (m.prevIndex() > p.match) {
            p.restartFrom(Math.min(m.match() + 1, p.next));
            if (p.next > s.log.lastIndex() && p.next > s.log.baseIndex()) {
                // Nothing is missing, but the member does not know it: it restarted within this term.
                long prev = p.next - 1;
                s.out.send(p.peer, new RaftMessage.Append(term, prev, s.log.term(prev), List.of(), s.commit, s.now));
            }
        }
    }

    /** Notes an answer of this term; null when it is not from a member that counts. */
    private @Nullable Progress answered(PeerId from, long lastIndex, long sentNanos, long waitNanos) {
        Progress p = find(from);
        if (p == null || sentNanos - s.now > 0) {
            return null;
        }
        // Asked after it had acknowledged more than its whole log now holds: its disk is not the one it was.
        if (!p.regressed && lastIndex < p.match && sentNanos - p.matchLearnedAt > 0) {
            p.regressed = true;
            s.regressed.add(p.peer);
            s.changed = true;
        }
        if (p.regressed) {
            s.out.send(p.peer, new RaftMessage.Disowned(term, true));
            return null;
        }
        p.answered(sentNanos, s.rules.leaseStart(sentNanos, s.now), s.leaseOf(waitNanos), s.now);
        quorumMoved();
        return p;
    }

    private @Nullable Progress find(PeerId from) {
        for (Progress p : members.values()) {
            if (s.rules.samePeer(p.peer, from)) {
                return p;
            }
        }
        return null;
    }

    private void quorumMoved() {
        List<Long> ages = new ArrayList<>();
        List<Long> left = new ArrayList<>();
        for (PeerId voter : s.membership().voters()) {
            Progress p = members.get(voter);
            if (voter.equals(s.self)) {
                ages.add(0L);
                left.add(s.config.leaseNanos());
            } else if (p != null && p.answered && !p.regressed) {
                ages.add(s.now - p.leaseFrom);
                left.add(p.waitsUntil - s.now);
            }
        }
        if (ages.size() < s.membership().majority()) {
            return;
        }
        Collections.sort(ages);
        long quorumSent = s.now - ages.get(s.membership().majority() - 1);
        left.sort(Collections.reverseOrder());
        s.changed |= lease.renew(s.now + left.get(s.membership().majority() - 1), s.now);
        for (Iterator<PendingRead> i = reads.iterator(); i.hasNext(); ) {
            PendingRead read = i.next();
            if (quorumSent - read.askedAt() >= 0) {
                s.reads.add(new RaftOutput.ReadReady(read.requestId(), read.index()));
                i.remove();
            }
        }
    }

    // ---- commit

    /** Raft §5.3, §5.4.2: what a majority of the voters has on disk, from an entry of this term on. */
    void advanceCommit() {
        List<Long> have = new ArrayList<>();
        for (PeerId voter : s.membership().voters()) {
            Progress p = members.get(voter);
            if (voter.equals(s.self)) {
                have.add(s.durable);
            } else {
                have.add(p == null || p.regressed ? 0L : p.match);
            }
        }
        have.sort(Collections.reverseOrder());
        long majorityHas = have.get(s.membership().majority() - 1);
        if (majorityHas > s.commit && s.rules.countsForCommit(s.log.term(majorityHas), term)) {
            s.commitTo(majorityHas);
            tellCommit = true;
        }
    }

    boolean ownTermCommitted() {
        return s.commit >= openingIndex;
    }

    /** The removal of this leader itself is committed: it has nothing more to do (thesis §4.2.2). */
    boolean removedItself() {
        return !s.membership().isVoter(s.self) && s.commit >= s.memberships.currentIndex();
    }

    // ---- proposals

    ProposeResult propose(EntryKind kind, byte[] data) {
        if (transferTo != null) {
            return new ProposeResult.Busy("leadership is being transferred");
        }
        if (s.log.lastIndex() - s.commit >= s.config.maxUncommitted()) {
            return new ProposeResult.Busy("%d proposals wait to be committed".formatted(s.config.maxUncommitted()));
        }
        LogEntry e = new LogEntry(s.log.lastIndex() + 1, term, kind, data);
        s.append(e);
        return new ProposeResult.Accepted(e.index(), e.term());
    }

    ProposeResult changeMembership(MembershipChange change) {
        if (!s.rules.mayChangeMembership(ownTermCommitted())) {
            return new ProposeResult.Busy("no entry of this term is committed yet");
        }
        if (s.memberships.currentIndex() > s.commit) {
            return new ProposeResult.Busy("another membership change is under way");
        }
        String refusal = s.membership().refusal(change);
        if (refusal != null) {
            return new ProposeResult.Refused(refusal);
        }
        if (change instanceof MembershipChange.PromoteToVoter && !hasCaughtUp(change.peer())) {
            return new ProposeResult.Busy("the learner has not caught up");
        }
        Membership after = s.membership().after(change);
        ProposeResult result = propose(EntryKind.MEMBERSHIP, MembershipCodec.encode(after));
        if (result instanceof ProposeResult.Accepted) {
            syncMembers(s.log.lastIndex());
            s.changed = true;
        }
        return result;
    }

    private boolean hasCaughtUp(PeerId peer) {
        Progress p = members.get(peer);
        return p != null && !p.regressed && p.match >= s.commit;
    }

    private void syncMembers(long firstUnsent) {
        Membership now = s.membership();
        members.keySet().retainAll(now.all());
        for (PeerId peer : now.all()) {
            if (!peer.equals(s.self)) {
                members.computeIfAbsent(peer, p -> new Progress(p, firstUnsent, s.now));
            }
        }
    }

    void readIndex(long requestId) {
        if (!ownTermCommitted() || reads.size() >= READS_MAX) {
            s.reads.add(new RaftOutput.ReadReady(requestId, -1));
            return;
        }
        reads.add(new PendingRead(requestId, s.commit, s.now));
        if (lastHeartbeat != s.now) {
            heartbeat();
        }
        quorumMoved();
    }

    // ---- transfer

    ProposeResult transfer(PeerId target) {
        Progress p = members.get(target);
        if (p == null || !s.membership().isVoter(target) || p.regressed) {
            return new ProposeResult.Refused("only another voter can lead");
        }
        if (transferTo != null) {
            return new ProposeResult.Busy("leadership is being transferred already");
        }
        // The lease is given back before anything lets another leader begin.
        lease.giveBack(s.now);
        s.changed = true;
        transferTo = target;
        transferUntil = s.now + s.config.electionMaxNanos();
        timeoutNowSent = false;
        continueTransfer();
        return new ProposeResult.Accepted(0, term);
    }

    private void continueTransfer() {
        PeerId target = transferTo;
        if (target == null || timeoutNowSent) {
            return;
        }
        Progress p = members.get(target);
        if (p != null && p.match == s.log.lastIndex()) {
            timeoutNowSent = true;
            s.out.send(target, new RaftMessage.TimeoutNow(term));
        }
    }

    // ---- strangers

    /** A candidate that the committed membership does not know was removed. */
    void onStranger(PeerId from) {
        if (ownTermCommitted()
                && s.memberships.currentIndex() <= s.commit
                && !s.membership().contains(from)) {
            s.out.send(from, new RaftMessage.Disowned(term, false));
        }
    }

    // ---- sending

    private void heartbeat() {
        lastHeartbeat = s.now;
        nextHeartbeat = s.now + s.config.heartbeatNanos();
        if (transferTo != null) {
            timeoutNowSent = false;
            continueTransfer();
        }
        for (Progress p : members.values()) {
            p.failures++;
            s.out.send(p.peer, new RaftMessage.Heartbeat(term, s.commit, s.now));
        }
        // A group of one hears no answers; its majority is itself.
        quorumMoved();
    }

    /** Sends what each member lacks; called once per drain, so that proposals travel together. */
    void replicate() {
        members.values().forEach(this::replicateTo);
        if (tellCommit) {
            tellCommit = false;
            members.values().forEach(p -> s.out.send(p.peer, new RaftMessage.Heartbeat(term, s.commit, s.now)));
        }
    }

    private void replicateTo(Progress p) {
        if (p.regressed) {
            return;
        }
        if (p.next <= s.log.baseIndex()) {
            Snapshot snapshot = s.snapshot;
            if (!p.snapshotSent && snapshot != null) {
                p.snapshotSent = true;
                p.lastSent = s.now;
                s.out.send(p.peer, new RaftMessage.InstallSnapshot(term, snapshot, s.now));
            }
            return;
        }
        int inflightMax = p.probing ? 1 : s.config.maxInflight();
        while (p.next <= s.log.lastIndex() && p.inflight < inflightMax) {
            List<LogEntry> entries = s.log.from(p.next, s.config.maxAppendBytes(), ENTRIES_PER_APPEND);
            long prev = p.next - 1;
            s.out.send(p.peer, new RaftMessage.Append(term, prev, s.log.term(prev), entries, s.commit, s.now));
            p.inflight++;
            p.lastSent = s.now;
            if (!p.probing) {
                p.next += entries.size();
            }
        }
    }

    // ---- being asked

    Collection<Progress> members() {
        return members.values();
    }

    List<Long> pendingReads() {
        return reads.stream().map(PendingRead::requestId).toList();
    }

    long openingIndex() {
        return openingIndex;
    }

    long electedAt() {
        return electedAt;
    }

    boolean byTransfer() {
        return byTransfer;
    }

    long leaseUntil() {
        return lease.until();
    }

    /** Nobody acts on a lease of this term after this. */
    long lentUntil() {
        return lease.furthest();
    }
}
