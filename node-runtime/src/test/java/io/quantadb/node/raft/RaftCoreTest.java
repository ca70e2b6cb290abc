package io.quantadb.node.raft;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The core's rules as lists of outputs; time is in milliseconds here. */
class RaftCoreTest {
    private static final PeerId A = new PeerId(new NodeId("a"), 1);
    private static final PeerId B = new PeerId(new NodeId("b"), 2);
    private static final PeerId C = new PeerId(new NodeId("c"), 3);
    private static final PeerId D = new PeerId(new NodeId("d"), 4);
    private static final long MS = 1_000_000;

    private long now = 1_000;
    /** What a member with the default timers promises. */
    private static final long WAIT = 300 * MS;

    private final List<Outbound> sent = new ArrayList<>();
    private final List<DiskWrite> writes = new ArrayList<>();
    private final List<LogEntry> committed = new ArrayList<>();
    private final List<PeerId> regressed = new ArrayList<>();

    @Test
    void answersAVoteOnlyOnceTheVoteIsOnDisk() {
        // Given
        RaftCore core = core(new RaftRules());
        now += 400;

        // When
        core.receive(B, new RaftMessage.Vote(5, 1, 1, false), at());
        drain(core, false);

        // Then
        assertThat(sent).isEmpty();
        assertThat(writes.getLast().hardState()).isEqualTo(new HardState(5, B, false));
        flush(core);
        assertThat(sent).containsExactly(new Outbound(B, new RaftMessage.VoteReply(5, true, 0)));
    }

    @Test
    void refusesASecondVoteInATermAfterARestartToo() {
        // Given
        RaftRestored disk = new RaftRestored(new HardState(5, B, false), null, group().entries());
        RaftCore core = new RaftCore(RaftConfig.DEFAULT, A, disk, at(), new SplittableRandom(1));
        now += 400;

        // When
        core.receive(C, new RaftMessage.Vote(5, 1, 1, false), at());
        drain(core, true);

        // Then
        assertThat(sent).containsExactly(new Outbound(C, new RaftMessage.VoteReply(5, false, 0)));
    }

    @Test
    void votesForNobodyWithinTheMinimumTimeoutOfItsStartOrOfALeaderUnlessInATransfer() {
        // Given
        RaftCore core = core(new RaftRules());
        now += 299;

        // When
        core.receive(B, new RaftMessage.Vote(5, 1, 1, false), at());
        drain(core, true);
        assertThat(sent).isEmpty();
        core.receive(B, new RaftMessage.Vote(5, 1, 1, true), at());
        drain(core, true);

        // Then
        assertThat(sent).containsExactly(new Outbound(B, new RaftMessage.VoteReply(5, true, MS)));
    }

    @Test
    void ignoresWhatIsMeantForAnotherIncarnation() {
        // Given
        RaftCore core = core(new RaftRules());
        now += 400;

        // When
        core.receive(B, new PeerId(A.node(), 99), new RaftMessage.Vote(5, 1, 1, false), at());
        drain(core, true);

        // Then
        assertThat(sent).isEmpty();
        assertThat(core.term()).isEqualTo(1);
    }

    @Test
    void countsOnlyEntriesOfItsOwnTerm() {
        // Given a leader whose log ends with an entry of an older term
        RaftCore core = leader(new RaftRules());
        RaftCore broken = leader(new RaftRules() {
            @Override
            public boolean countsForCommit(long entryTerm, long currentTerm) {
                return true;
            }
        });

        // When a majority has that entry and no more
        for (RaftCore c : List.of(core, broken)) {
            c.receive(B, new RaftMessage.AppendReply(c.term(), true, 1, 2, 2, at(), WAIT), at());
            drain(c, true);
        }

        // Then
        assertThat(core.commitIndex()).isZero();
        assertThat(broken.commitIndex()).isEqualTo(2);
        core.receive(B, new RaftMessage.AppendReply(core.term(), true, 2, 3, 3, at(), WAIT), at());
        drain(core, true);
        assertThat(core.commitIndex()).isEqualTo(3);
    }

    @Test
    void changesNoMembershipBeforeAnEntryOfItsTermIsCommittedNorTwoAtOnce() {
        // Given
        RaftCore core = leader(new RaftRules());

        // Then
        assertThat(core.changeMembership(new MembershipChange.AddLearner(D), at()))
                .isInstanceOf(ProposeResult.Busy.class);
        core.receive(B, new RaftMessage.AppendReply(core.term(), true, 2, 3, 3, at(), WAIT), at());
        drain(core, true);
        assertThat(core.changeMembership(new MembershipChange.AddLearner(D), at()))
                .isInstanceOf(ProposeResult.Accepted.class);
        assertThat(core.changeMembership(new MembershipChange.Remove(C), at())).isInstanceOf(ProposeResult.Busy.class);
    }

    @Test
    void measuresItsLeaseFromBeforeTheRequestAndGivesItBackBeforeATransfer() {
        // Given
        RaftCore core = leader(new RaftRules());
        long asked = at();
        core.receive(B, new RaftMessage.AppendReply(core.term(), true, 2, 3, 3, at(), WAIT), at());

        // When the answer takes 100 ms
        now += 100;
        core.receive(B, new RaftMessage.HeartbeatReply(core.term(), 3, asked, WAIT), at());

        // Then
        assertThat(core.leaseUntilNanos()).isEqualTo(asked + 240 * MS);
        core.transfer(B, at());
        drain(core, true);
        assertThat(core.leaseUntilNanos()).isLessThanOrEqualTo(at());
        assertThat(sent).contains(new Outbound(B, new RaftMessage.TimeoutNow(core.term())));
    }

    @Test
    void noticesAMemberThatHasLostWhatItAcknowledgedAndCountsItNoMore() {
        // Given
        RaftCore core = leader(new RaftRules());
        core.receive(B, new RaftMessage.AppendReply(core.term(), true, 2, 3, 3, at(), WAIT), at());
        now += 50;
        long asked = at();

        // When
        now += 1;
        core.receive(B, new RaftMessage.HeartbeatReply(core.term(), 1, asked, WAIT), at());
        drain(core, true);

        // Then
        assertThat(regressed).containsExactly(B);
        assertThat(sent).contains(new Outbound(B, new RaftMessage.Disowned(core.term(), true)));
        assertThat(core.followers().getFirst().regressed()).isTrue();
    }

    @Test
    void isOutForTheFirstReasonThatALeaderHasGiven() {
        // Given
        RaftCore regresses = core(new RaftRules());
        RaftCore removed = core(new RaftRules());

        // When
        for (boolean first : new boolean[] {true, false}) {
            RaftCore core = first ? regresses : removed;
            core.receive(B, new RaftMessage.Disowned(5, first), at());
            core.receive(B, new RaftMessage.Disowned(5, !first), at());
            drain(core, true);
        }

        // Then
        assertThat(List.of(regresses.disowned(), regresses.regressed())).containsOnly(true);
        assertThat(removed.disowned()).isTrue();
        assertThat(removed.regressed()).isFalse();
        assertThat(writes).extracting(w -> w.hardState().regressed()).contains(true, false);
    }

    @Test
    void believesNoLeaderOfAnOlderTermThatItIsOut() {
        // Given
        RaftRestored disk = new RaftRestored(new HardState(5, B, false), null, group().entries());
        RaftCore core = new RaftCore(RaftConfig.DEFAULT, A, disk, at(), new SplittableRandom(1));

        // When
        core.receive(B, new RaftMessage.Disowned(4, true), at());

        // Then
        assertThat(core.disowned()).isFalse();
        assertThat(core.regressed()).isFalse();
    }

    @Test
    void stepsDownWhenNoMajorityIsHeardForTheLongestTimeout() {
        // Given
        RaftCore core = leader(new RaftRules());

        // When
        for (int i = 0; i < 52; i++) {
            now += 10;
            core.tick(at());
        }

        // Then
        assertThat(core.role()).isEqualTo(Role.FOLLOWER);
    }

    @Test
    void doesNotCountTimeInWhichItDidNotRun() {
        // Given
        RaftCore core = core(new RaftRules());

        // When it wakes after a pause that is longer than any timeout
        now += 5_000;
        core.tick(at());
        drain(core, true);

        // Then
        assertThat(core.role()).isEqualTo(Role.FOLLOWER);
        assertThat(sent).isEmpty();
    }

    /** The clock given is one that goes on while the machine is suspended. */
    @Test
    void aLeaderThatWakesHasNoLeaseUntilAMajorityAnswersWhatItAsksThen() {
        // Given
        RaftCore core = leader(new RaftRules());
        core.receive(B, new RaftMessage.HeartbeatReply(3, 3, at(), WAIT), at());
        assertThat(core.leaseUntilNanos()).isEqualTo(at() + 240 * MS);
        long asked = at();

        // When it sleeps with an answer on its way
        now += 60_000;
        core.receive(B, new RaftMessage.HeartbeatReply(3, 3, asked, WAIT), at());
        core.tick(at());
        drain(core, true);

        // Then
        assertThat(core.leaseUntilNanos()).isLessThan(at());
        core.receive(B, new RaftMessage.HeartbeatReply(3, 3, at(), WAIT), at());
        assertThat(core.leaseUntilNanos()).isEqualTo(at() + 240 * MS);
    }

    @Test
    void restsItsLeaseOnNobodyForLongerThanThatOnePromisesNorThanItWouldWaitItself() {
        // Given
        RaftCore core = leader(new RaftRules());
        long asked = at();

        // When
        core.receive(B, new RaftMessage.HeartbeatReply(3, 3, asked, 150 * MS), at());
        long late = core.leaseUntilNanos();
        core.receive(B, new RaftMessage.HeartbeatReply(3, 3, asked, 600 * MS), at());
        long eager = core.leaseUntilNanos();
        core.retime(RaftConfig.of(Duration.ofMillis(600), Duration.ofMillis(900), Duration.ofMillis(50)), at());
        core.receive(B, new RaftMessage.HeartbeatReply(3, 3, asked, 600 * MS), at());
        long agreed = core.leaseUntilNanos();

        // Then
        assertThat(late).isEqualTo(asked + 120 * MS);
        assertThat(eager).isEqualTo(asked + 240 * MS);
        assertThat(agreed).isEqualTo(asked + 480 * MS);
    }

    @Test
    void keepsWhatItPromisedWithLongerTimersThanItHasNow() {
        // Given a member that promised 600 ms, and whose patience with a silent leader is shorter by now
        RaftConfig longer = RaftConfig.of(Duration.ofMillis(600), Duration.ofMillis(1_000), Duration.ofMillis(50));
        RaftCore core = new RaftCore(longer, A, group(), at(), new SplittableRandom(1));
        now += 1;
        core.receive(B, new RaftMessage.Heartbeat(1, 1, at()), at());
        drain(core, true);
        core.retime(RaftConfig.DEFAULT, at());
        core.receive(B, new RaftMessage.Heartbeat(1, 1, at()), at());
        drain(core, true);
        List<Outbound> promised = List.copyOf(sent);
        sent.clear();

        // When
        List<Role> roles = new ArrayList<>();
        for (int ms = 0; ms < 590; ms += 10) {
            now += 10;
            core.tick(at());
            drain(core, true);
            roles.add(core.role());
        }
        core.receive(C, new RaftMessage.Vote(5, 1, 1, false), at());
        drain(core, true);
        List<Outbound> early = List.copyOf(sent);
        now += 20;
        core.receive(C, new RaftMessage.Vote(5, 1, 1, false), at());
        drain(core, true);

        // Then
        assertThat(promised.stream()
                        .map(Outbound::message)
                        .filter(RaftMessage.HeartbeatReply.class::isInstance)
                        .map(m -> ((RaftMessage.HeartbeatReply) m).waitNanos()))
                .containsExactly(600 * MS, 300 * MS);
        assertThat(roles).containsOnly(Role.FOLLOWER);
        assertThat(early).isEmpty();
        assertThat(sent).containsExactly(new Outbound(C, new RaftMessage.VoteReply(5, true, 0)));
    }

    @Test
    void whoLedVotesForNobodyWhileWhatItLentMayLastThoughItsTimersAreShorterByNow() {
        // Given a lease of 480 ms
        RaftCore core = leader(new RaftRules());
        core.retime(RaftConfig.of(Duration.ofMillis(600), Duration.ofMillis(900), Duration.ofMillis(50)), at());
        core.receive(B, new RaftMessage.HeartbeatReply(3, 3, at(), 600 * MS), at());
        assertThat(core.leaseUntilNanos()).isEqualTo(at() + 480 * MS);

        // When
        core.retime(RaftConfig.DEFAULT, at());
        core.receive(B, new RaftMessage.HeartbeatReply(4, 3, at(), 0), at());
        drain(core, true);
        sent.clear();
        now += 590;
        core.receive(C, new RaftMessage.Vote(5, 9, 4, false), at());
        drain(core, true);
        List<Outbound> early = List.copyOf(sent);
        now += 20;
        core.receive(C, new RaftMessage.Vote(5, 9, 4, false), at());
        drain(core, true);

        // Then
        assertThat(early).isEmpty();
        assertThat(sent).containsExactly(new Outbound(C, new RaftMessage.VoteReply(5, true, 0)));
    }

    @Test
    void aLeaderByTransferWaitsAsLongAsItsVotersHadPromisedAnother() {
        // Given
        RaftCore core = core(new RaftRules());
        core.receive(B, new RaftMessage.Heartbeat(1, 1, at()), at());
        core.receive(B, new RaftMessage.TimeoutNow(1), at());
        drain(core, true);
        core.receive(C, new RaftMessage.VoteReply(2, true, 900 * MS), at());
        drain(core, true);
        assertThat(core.role()).isEqualTo(Role.LEADER);

        // When
        now += 890;
        core.receive(C, new RaftMessage.HeartbeatReply(2, 2, at(), WAIT), at());
        long before = core.leaseUntilNanos();
        now += 20;
        core.receive(C, new RaftMessage.HeartbeatReply(2, 2, at(), WAIT), at());

        // Then
        assertThat(before).isLessThan(at());
        assertThat(core.leaseUntilNanos()).isEqualTo(at() + 240 * MS);
    }

    // ---- helpers

    private static RaftRestored group() {
        return RaftRestored.groupOf(new Membership(new TreeSet<>(List.of(A, B, C)), new TreeSet<>()));
    }

    private RaftCore core(RaftRules rules) {
        return new RaftCore(RaftConfig.DEFAULT, A, group(), at(), new SplittableRandom(1), rules);
    }

    /** Leads in a term after 2, with an entry of term 2 at index 2 and its own opening entry at 3. */
    private RaftCore leader(RaftRules rules) {
        List<LogEntry> log = new ArrayList<>(group().entries());
        log.add(new LogEntry(2, 2, EntryKind.COMMAND, new byte[] {1}));
        RaftRestored disk = new RaftRestored(new HardState(2, null, false), null, log);
        RaftCore core = new RaftCore(RaftConfig.DEFAULT, A, disk, at(), new SplittableRandom(1), rules);
        while (core.role() != Role.PRE_CANDIDATE) {
            now += 10;
            core.tick(at());
            drain(core, true);
        }
        core.receive(B, new RaftMessage.PreVoteReply(2, 3, true, 0), at());
        drain(core, true);
        core.receive(B, new RaftMessage.VoteReply(3, true, 0), at());
        drain(core, true);
        assertThat(core.role()).isEqualTo(Role.LEADER);
        sent.clear();
        return core;
    }

    private long at() {
        return now * MS;
    }

    private void drain(RaftCore core, boolean flush) {
        for (RaftOutput out = core.drain(); !out.isEmpty(); out = core.drain()) {
            writes.addAll(out.writes());
            sent.addAll(out.messages());
            committed.addAll(out.committed());
            regressed.addAll(out.regressed());
            if (flush) {
                out.writes().forEach(w -> core.written(w.writeId(), at()));
            }
        }
    }

    private void flush(RaftCore core) {
        core.written(writes.getLast().writeId(), at());
        drain(core, true);
    }
}
