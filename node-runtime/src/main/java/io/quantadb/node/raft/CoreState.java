package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** What the parts of one core share; each part's Javadoc says what it changes. */
final class CoreState {
    /** As of now: its timers change while the core runs. */
    RaftConfig config;

    final PeerId self;
    final RaftRules rules;
    final RandomGenerator random;
    final LogView log;
    final Memberships memberships;
    final Outbox out = new Outbox();

    /** The time given with the last input. */
    long now;

    Role role = Role.FOLLOWER;
    HardState hard;

    @Nullable
    PeerId leader;

    /** Committed up to here, as far as this node knows. */
    long commit;
    /** Handed out in an output up to here. */
    long emitted;
    /** The log is on this node's disk up to here. */
    long durable;

    @Nullable
    Snapshot snapshot;

    @Nullable
    Snapshot restore;

    boolean changed = true;
    final List<RaftOutput.ReadReady> reads = new ArrayList<>();
    final List<RaftOutput.Lost> lost = new ArrayList<>();
    final List<PeerId> regressed = new ArrayList<>();

    CoreState(
            RaftConfig config, PeerId self, RaftRules rules, RandomGenerator random, RaftRestored restored, long now) {
        this.config = config;
        this.self = self;
        this.rules = rules;
        this.random = random;
        this.now = now;
        this.snapshot = restored.snapshot();
        this.log = new LogView(restored.snapshot(), restored.entries());
        this.memberships = new Memberships(restored.snapshot(), restored.entries());
        // A term in the log was once the term of now, even if that write was lost with the crash.
        this.hard = restored.hardState().term() >= log.lastTerm()
                ? restored.hardState()
                : restored.hardState().inTerm(log.lastTerm());
        this.commit = restored.snapshot() == null ? 0 : restored.snapshot().index();
        this.emitted = commit;
        this.durable = log.lastIndex();
    }

    Membership membership() {
        return memberships.current();
    }

    /** How much of a lease rests on a member that votes for no other within that time. */
    long leaseOf(long waitNanos) {
        long own = config.electionMinNanos();
        // In microseconds, since the product of two times in nanoseconds may be too large.
        return rules.lent(own, waitNanos) / 1_000 * (config.leaseNanos() / 1_000) / Math.max(1, own / 1_000) * 1_000;
    }

    void setHard(HardState newHard) {
        if (!newHard.equals(hard)) {
            hard = newHard;
            out.stage(rules.persisted(newHard));
            changed = true;
        }
    }

    void append(LogEntry e) {
        log.append(e);
        memberships.appended(e);
        out.stageAppend(e);
    }

    void truncateFrom(long index) {
        if (index <= commit) {
            throw new IllegalStateException(
                    "entry %d is committed (up to %d) and was to be replaced".formatted(index, commit));
        }
        log.truncateFrom(index);
        memberships.truncatedFrom(index);
        out.stageTruncate(index);
        durable = Math.min(durable, index - 1);
        changed = true;
    }

    void commitTo(long index) {
        if (index > commit) {
            commit = index;
            changed = true;
        }
    }
}
