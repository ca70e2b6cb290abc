package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import java.util.List;

/** What a follower does with a leader's messages, once the term has been checked: changes log, commit and snapshot. */
final class Following {
    private final CoreState s;
    /** The log is known to agree with that of the leader of this term up to here. */
    private long verified;

    private long verifiedTerm;

    Following(CoreState s) {
        this.s = s;
    }

    void onHeartbeat(PeerId from, RaftMessage.Heartbeat m) {
        commitTo(m.commit());
        s.out.send(from, new RaftMessage.HeartbeatReply(s.hard.term(), s.log.lastIndex(), m.sentNanos(), waits()));
        if (m.commit() > s.commit && verified() < s.log.lastIndex()) {
            // After a restart within a term the leader knows that the logs agree and sends nothing, while this member
            // has forgotten it and may not commit: ask it to probe at the end.
            long last = s.log.lastIndex();
            s.out.send(
                    from,
                    new RaftMessage.AppendReply(s.hard.term(), false, last + 1, last, last, m.sentNanos(), waits()));
        }
    }

    void onAppend(PeerId from, RaftMessage.Append m) {
        long prev = m.prevIndex();
        if (prev >= s.log.baseIndex() && !s.log.matches(prev, m.prevTerm())) {
            s.out.send(from, reply(false, prev, hint(prev), m.sentNanos()));
            return;
        }
        // What lies before the base is committed, hence the same in every log.
        append(m.entries());
        verify(Math.max(prev + m.entries().size(), s.log.baseIndex()));
        commitTo(m.commit());
        s.out.sendAfterLog(from, reply(true, prev, verified(), m.sentNanos()));
    }

    void onSnapshot(PeerId from, RaftMessage.InstallSnapshot m) {
        Snapshot snap = m.snapshot();
        if (snap.index() > s.commit && !s.log.matches(snap.index(), snap.term())) {
            s.log.reset(snap);
            s.memberships.reset(snap);
            s.out.stageInstall(snap);
            s.snapshot = snap;
            s.restore = snap;
            s.durable = 0;
            s.commit = snap.index();
            s.emitted = snap.index();
            s.changed = true;
        }
        verify(snap.index());
        commitTo(snap.index());
        s.out.sendAfterLog(from, reply(true, snap.index(), verified(), m.sentNanos()));
    }

    private void append(List<LogEntry> entries) {
        for (LogEntry e : entries) {
            if (e.index() <= s.log.baseIndex() || s.log.matches(e.index(), e.term())) {
                continue;
            }
            if (e.index() <= s.log.lastIndex()) {
                s.truncateFrom(e.index());
            }
            s.append(e);
            s.changed = true;
        }
    }

    /** Where the leader should try next: before the run of entries that cannot be right (Raft §5.3, last part). */
    private long hint(long prev) {
        if (prev > s.log.lastIndex()) {
            return s.log.lastIndex();
        }
        return Math.max(s.commit, s.log.firstOfTermAt(prev) - 1);
    }

    private RaftMessage.AppendReply reply(boolean accepted, long prev, long match, long sentNanos) {
        return new RaftMessage.AppendReply(s.hard.term(), accepted, prev, match, s.log.lastIndex(), sentNanos, waits());
    }

    /** For how long from now this member votes for no other: what {@link Election#heardLeader} has just seen to. */
    private long waits() {
        return s.config.electionMinNanos();
    }

    private void verify(long index) {
        verified = verifiedTerm == s.hard.term() ? Math.max(verified, index) : index;
        verifiedTerm = s.hard.term();
    }

    private long verified() {
        return verifiedTerm == s.hard.term() ? verified : 0;
    }

    private void commitTo(long leaderCommit) {
        s.commitTo(Math.min(leaderCommit, verified()));
    }
}
