package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A frozen member answers only with what cannot grow any more; and what the primary does when its server's run ends. */
class FreezeOrderTest {
    private static final NodeId N1 = TestingStates.N1;
    private static final NodeId N2 = TestingStates.N2;
    private static final NodeId N3 = TestingStates.N3;
    private static final Position START = new Position(1, new Lsn(1_000));

    private long now = 1_000_000_000L;
    private long reading;

    @Test
    void answersAFreezeOnlyAfterPromiseStreamsAndAPositionReadAfterBoth() {
        // Given
        ClusterCore core = standby();

        // When
        List<Action> asked = on(core, freeze(5));
        List<Action> promised = on(core, new Event.PromisePersisted(5));
        List<Action> closed = on(core, new Event.StreamsClosedBelow(5));
        List<Action> read = on(core, new Event.PositionRead(reading, new Position(1, new Lsn(2_000))));

        // Then
        assertThat(asked).contains(new Action.PersistPromise(5));
        assertThat(asked).doesNotHaveAnyElementsOfTypes(Action.CloseStreamsBelow.class);
        assertThat(promised).contains(new Action.CloseStreamsBelow(5));
        assertThat(closed).hasAtLeastOneElementOfType(Action.ReadPosition.class);
        assertThat(replies(asked)).isEmpty();
        assertThat(replies(promised)).isEmpty();
        assertThat(replies(closed)).isEmpty();
        assertThat(replies(read)).singleElement().satisfies(r -> {
            assertThat(r.position()).isEqualTo(new Position(1, new Lsn(2_000)));
            assertThat(r.generation()).isEqualTo(1);
            assertThat(r.term()).isEqualTo(2);
        });
    }

    @Test
    void anAnswerToAReadingFromBeforeTheStreamsWereClosedCountsForNothing() {
        // Given
        ClusterCore core = standby();
        long before = reading;
        on(core, freeze(5));
        on(core, new Event.PromisePersisted(5));
        on(core, new Event.StreamsClosedBelow(5));

        // When
        List<Action> stale = on(core, new Event.PositionRead(before, START));

        // Then
        assertThat(reading).isNotEqualTo(before);
        assertThat(replies(stale)).isEmpty();
    }

    @Test
    void doesAgainWhatNeverSaidThatItWasDone() {
        // Given
        ClusterCore core = standby();
        on(core, freeze(5));

        // When
        List<Action> soon = on(core, freeze(5));
        now += 1_100_000_000L;
        List<Action> later = on(core, freeze(5));

        // Then
        assertThat(soon).doesNotHaveAnyElementsOfTypes(Action.PersistPromise.class);
        assertThat(later).contains(new Action.PersistPromise(5));
    }

    @Test
    void closesTheVoiceWhenItsServerEndsSoThatTheNextRunGetsItsOwn() {
        // Given
        ClusterCore core = primary();

        // When
        List<Action> ended = on(core, new Event.ServerExited("killed"));

        // Then
        assertThat(ended).contains(new Action.CloseVoice(), new Action.SetPermit(null), new Action.ServeStreams(0));
    }

    @Test
    void aStandbyThatKeepsEndingIsStartedOnceASecond() {
        // Given
        ClusterCore core = standby();
        for (int ends = 1; ends <= 3; ends++) {
            List<Action> ended = endAndRead(core);
            assertThat(ended.contains(new Action.StartStandby())).isEqualTo(ends < 3);
            on(core, new Event.ServerChanged(ServerState.STANDBY, 1));
        }

        // When
        List<Action> ended = endAndRead(core);
        now += 1_100_000_000L;
        List<Action> later = concat(on(core, new Event.Tick(0)), on(core, new Event.PositionRead(reading, START)));

        // Then
        assertThat(ended).doesNotContain(new Action.StartStandby());
        assertThat(concat(later, on(core, new Event.Tick(0)))).contains(new Action.StartStandby());
    }

    @Test
    void aStandbyWhoseNextWalIsGoneFromThePrimaryClones() {
        // Given
        ClusterCore core = standby();
        Event removed = new Event.WalRemoved(N1, 1);
        List<Action> twice = concat(during(core, 20, removed), during(core, 20, removed));

        // When
        List<Action> thrice = during(core, 20, removed);
        on(core, new Event.ServerExited("told to stop"));
        on(core, new Event.Tick(0));
        List<Action> down = concat(on(core, new Event.PositionRead(reading, START)), on(core, new Event.Tick(0)));
        List<Action> cloned = on(core, new Event.GenerationPersisted(2));

        // Then
        assertThat(twice).doesNotHaveAnyElementsOfTypes(Action.StopServer.class, Action.PersistGeneration.class);
        assertThat(thrice).contains(new Action.StopServer(true));
        assertThat(down).contains(new Action.PersistGeneration(2)).doesNotContain(new Action.StartStandby());
        assertThat(cloned).contains(new Action.Clone(N1, 1, 2, false));
    }

    @Test
    void aStandbyWhoseDataAnOperatorWantsCopiedAnewNeverUsesThemAgain() {
        // Given
        ClusterCore core = standby();

        // When
        List<Action> ordered = concat(
                on(core, new Event.Received(N1, new CoordMessage.Discard(2, 1, 1))), on(core, new Event.Tick(0)));
        on(core, new Event.ServerChanged(ServerState.DOWN, 1));
        on(core, new Event.Tick(0));
        List<Action> down = concat(on(core, new Event.PositionRead(reading, START)), on(core, new Event.Tick(0)));
        List<Action> cloned = on(core, new Event.GenerationPersisted(2));

        // Then
        assertThat(ordered).contains(new Action.StopServer(true));
        assertThat(down).contains(new Action.PersistGeneration(2)).doesNotContain(new Action.StartStandby());
        assertThat(cloned).contains(new Action.Clone(N1, 1, 2, true));
    }

    @Test
    void aStandbyKeepsItsDataWhenWalArrivesAgainOrTheEpochIsAnother() {
        // Given
        ClusterCore core = standby();
        Event removed = new Event.WalRemoved(N1, 1);

        // When
        List<Action> all = new ArrayList<>();
        for (long end = 1_100; end < 1_600; end += 100) {
            all.addAll(during(core, 20, removed));
            all.addAll(during(core, 20, removed));
            all.addAll(on(core, new Event.ReceiverProgress(1, new Lsn(end), new Lsn(end), new Lsn(end))));
        }
        for (int i = 0; i < 10; i++) {
            all.addAll(during(core, 20, new Event.WalRemoved(N1, 7)));
        }

        // Then
        assertThat(all).doesNotHaveAnyElementsOfTypes(Action.StopServer.class, Action.PersistGeneration.class);
    }

    @Test
    void aStandbyWhoseReceiverGoesOnBeyondWhatWasComparedComparesAnewAndThenFollows() {
        // Given
        ClusterCore core = standby();

        // When
        List<Action> refused = on(core, new Event.StartUnvouched(N1, 1));
        List<Action> anew = concat(
                on(core, new Event.PositionRead(reading, new Position(1, new Lsn(1_700)))),
                on(core, new Event.Tick(0)));

        // Then
        assertThat(refused).contains(new Action.StopFollowing()).hasAtLeastOneElementOfType(Action.ReadPosition.class);
        assertThat(anew).contains(new Action.Follow(N1, 1, 1, new Position(1, new Lsn(1_700))));
    }

    @Test
    void aStandbyThatAsksForATimelineOfAnotherBranchIsStartedAnewAndNotAtEachOfItsTries() {
        // Given n2 has epoch 5 and timeline 2, and is lost before it serves; n1 has epoch 6 and timeline 3 from
        // timeline 1
        ClusterCore core = core(N3);
        ClusterState lost = promoted(5, N2);
        ClusterState s = TestingStates.after(
                lost,
                new Command.Promote(
                        Command.Condition.of(lost),
                        6,
                        N1,
                        1,
                        Command.PromoteKind.FROZEN,
                        3,
                        START,
                        TestingStates.rule(1, N3),
                        0,
                        "test"));
        on(core, new Event.StateApplied(s, 10));
        on(core, new Event.RaftChanged(false, 2, N1, false, false));
        on(core, new Event.ServerChanged(ServerState.STANDBY, 1));
        on(core, new Event.StreamsClosedBelow(6));
        on(core, new Event.PositionRead(reading, START));
        on(core, new Event.Tick(0));

        // When
        List<Action> own =
                concat(on(core, new Event.TimelineRefused(N1, 6, 1)), on(core, new Event.TimelineRefused(N1, 6, 3)));
        List<Action> past = on(core, new Event.TimelineRefused(N1, 5, 2));
        List<Action> unheardOf = on(core, new Event.TimelineRefused(N1, 6, 4));
        List<Action> astray = on(core, new Event.TimelineRefused(N1, 6, 2));
        on(core, new Event.ServerChanged(ServerState.DOWN, 1));
        on(core, new Event.Tick(0));
        List<Action> down = concat(on(core, new Event.PositionRead(reading, START)), on(core, new Event.Tick(0)));
        on(core, new Event.ServerChanged(ServerState.STANDBY, 1));
        on(core, new Event.PositionRead(reading, START));
        on(core, new Event.Tick(0));
        List<Action> again = on(core, new Event.TimelineRefused(N1, 6, 2));
        during(core, 5_000, new Event.Tick(0));
        List<Action> later = on(core, new Event.TimelineRefused(N1, 6, 2));

        // Then
        assertThat(s.timeline()).isEqualTo(3);
        assertThat(concat(concat(own, past), unheardOf)).doesNotContain(new Action.StopServer(true));
        assertThat(astray).contains(new Action.StopServer(true));
        assertThat(down).contains(new Action.StartStandby());
        assertThat(again).doesNotContain(new Action.StopServer(true));
        assertThat(later).contains(new Action.StopServer(true));
    }

    @Test
    void aStandbyFollowsAPrimaryAnewThatIsReachedElsewhereByNow() {
        // Given
        ClusterCore core = standby();
        ClusterState before = TestingStates.three();
        HostPort at = new HostPort("localhost", 9);
        Member moved = before.members().get(N1).withAddresses(new Addresses(at, at, at, at, at), "", 100);

        // When
        List<Action> same = on(core, new Event.StateApplied(before, 11));
        List<Action> elsewhere =
                on(core, new Event.StateApplied(new Draft(before).member(moved).done(), 12));
        List<Action> anew = concat(
                on(core, new Event.PositionRead(reading, new Position(1, new Lsn(1_700)))),
                on(core, new Event.Tick(0)));

        // Then
        assertThat(same).doesNotContain(new Action.StopFollowing());
        assertThat(elsewhere).contains(new Action.StopFollowing());
        assertThat(anew).contains(new Action.Follow(N1, 1, 1, new Position(1, new Lsn(1_700))));
    }

    @Test
    void aFailedPromotionSpeaksLongerEachTimeAgainstAMemberWhoseServerIsNotStartedAgain() {
        // Given n1 has the epoch again, and n2, which is needed for what was acknowledged, has ended on another branch
        ClusterCore core = standby();
        on(core, new Event.StateApplied(returned(), 20));

        // When
        List<Action> all = new ArrayList<>();
        List<Long> pauses = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.addAll(on(core, new Event.ServerExited("ended while it was promoted")));
            all.addAll(on(core, new Event.ServerFailed("become primary: no space left on device")));
            long failed = now;
            while (!core.status().fit()) {
                all.addAll(during(core, 10, new Event.Tick(0)));
                all.addAll(on(core, new Event.PositionRead(reading, new Position(1, new Lsn(2_000)))));
            }
            pauses.add((now - failed) / 1_000_000);
        }

        // Then
        assertThat(pauses).isSorted();
        assertThat(pauses.getFirst()).isBetween(100L, 130L);
        assertThat(pauses.get(1)).isBetween(200L, 230L);
        assertThat(pauses.getLast()).isBetween(5_000L, 5_030L);
        assertThat(all).doesNotHaveAnyElementsOfTypes(Action.StartStandby.class, Action.PersistGeneration.class);
    }

    @Test
    void whatFailsIsTriedAgainAtOnceAndOnceASecondFromTheFourthTimeOn() {
        // Given a standby whose server was down
        ClusterCore core = standby();
        on(core, new Event.ServerExited("killed"));
        on(core, new Event.Tick(0));
        on(core, new Event.PositionRead(reading, START));
        List<Integer> pauses = new ArrayList<>();

        // When
        for (int i = 0; i < 5; i++) {
            on(core, new Event.ServerFailed("start: no such file"));
            int millis = 0;
            while (!restarted(core)) {
                millis += 10;
                now += 9_000_000;
            }
            pauses.add(millis);
        }

        // Then
        assertThat(pauses.subList(0, 3)).allMatch(millis -> millis <= 100);
        assertThat(pauses.subList(3, 5)).allMatch(millis -> millis >= 900 && millis <= 1_200);
    }

    private boolean restarted(ClusterCore core) {
        List<Action> all = concat(on(core, new Event.Tick(0)), on(core, new Event.PositionRead(reading, START)));
        return all.contains(new Action.StartStandby());
    }

    private List<Action> endAndRead(ClusterCore core) {
        now += 50_000_000L;
        on(core, new Event.ServerExited("ended with exit code 1"));
        on(core, new Event.Tick(0));
        List<Action> read = on(core, new Event.PositionRead(reading, START));
        return concat(read, on(core, new Event.Tick(0)));
    }

    @Test
    void namesAPositionForEveryCancelledWaitAlsoOneThatTheVoiceHasPassed() {
        // Given
        ClusterCore core = primary();
        on(core, new Event.VoiceReported(new Lsn(9_000)));

        // When
        List<Action> cancelled = on(core, new Event.WaitCancelled(new Lsn(8_000)));

        // Then
        assertThat(cancelled).contains(new Action.HoldAnswers(new Lsn(8_000)));
    }

    @Test
    void aChosenCandidateStopsToFetchBeforeItIsPromoted() {
        // Given: frozen for epoch 5, and fetching in it
        ClusterCore core = standby();
        on(core, freeze(5));
        on(core, new Event.PromisePersisted(5));
        on(core, new Event.StreamsClosedBelow(5));
        on(core, new Event.PositionRead(reading, START));
        Position target = new Position(1, new Lsn(3_000));
        List<Action> fetching = on(core, new Event.Received(N1, new CoordMessage.Fetch(2, 5, N3, target)));

        // When
        List<Action> chosen = on(core, new Event.StateApplied(promoted(5, N2), 20));
        List<Action> next = on(core, new Event.Tick(0));

        // Then
        assertThat(fetching).hasAtLeastOneElementOfType(Action.Follow.class);
        assertThat(chosen).contains(new Action.StopFollowing());
        assertThat(concat(chosen, next)).contains(new Action.PromoteServer(5, 2));
    }

    @Test
    void theLastReleasedPrimaryStopsItsServerWhenNobodyMayFollowItIntoAnUnreleasedEpoch() {
        // Given: n1 leads and has begun timeline 2 in epoch 2, n2 has promised epoch 3, n3 is silent
        ClusterCore core = core(N1);
        on(core, new Event.StateApplied(returned(), 20));
        on(core, new Event.RaftChanged(true, 2, N1, true, false));
        on(core, new Event.ServerChanged(ServerState.PRIMARY, 2));
        on(core, new Event.ServerPrimaryReady(2, 1, START.lsn(), START.lsn()));
        LocalStatus promised = new LocalStatus(
                1, 3, 20, 9, 2, ServerState.STANDBY, 1, false, START, START.lsn(), 0, Lsn.NONE, true, "");

        // When
        List<Action> waiting = during(core, 200, new Event.Received(N2, new CoordMessage.Report(2, 11, promised)));
        List<Action> frozen = during(core, 200, new Event.Tick(0));
        List<Action> kept = on(core, new Event.PromisePersisted(3));

        // Then
        assertThat(waiting).doesNotHaveAnyElementsOfTypes(Action.PersistPromise.class, Action.StopServer.class);
        assertThat(frozen).contains(new Action.PersistPromise(3));
        assertThat(kept).containsSubsequence(new Action.CloseVoice(), new Action.StopServer(true));

        // And when: its server is down and the end of its WAL is known
        on(core, new Event.StreamsClosedBelow(3));
        on(core, new Event.ServerChanged(ServerState.DOWN, 0));
        during(core, 40, new Event.Tick(0));
        List<Action> anew = concat(
                on(core, new Event.PositionRead(reading, new Position(2, new Lsn(1_500)))),
                during(core, 200, new Event.Tick(0)));

        // Then
        assertThat(anew.stream().filter(Action.Propose.class::isInstance).map(a -> ((Action.Propose) a).command()))
                .first()
                .satisfies(c -> {
                    assertThat(c).isInstanceOf(Command.Promote.class);
                    Command.Promote p = (Command.Promote) c;
                    assertThat(p.node()).isEqualTo(N1);
                    assertThat(p.epoch()).isEqualTo(3);
                    assertThat(p.timeline()).isEqualTo(3);
                    assertThat(p.from()).isEqualTo(new Position(2, new Lsn(1_500)));
                });
    }

    // ---- n2 as it follows n1, and n1 as it serves

    @Test
    void aProbeThatIsLateOrOfAnotherVoiceCondemnsNobody() {
        // Given a primary that has asked twice before the first probe was seen waiting
        ClusterCore core = primary();
        on(core, new Event.VoiceOpened());
        during(core, 1_200, new Event.Tick(0));
        on(core, new Event.ProbeCommitWaited(1));

        // When the second finds a voice that has its permit
        on(core, new Event.ProbeCommitPassed(2));

        // Then
        assertThat(core.status().fit()).isTrue();

        // When the voice was lost, and one of before answers while a new one is probed
        on(core, new Event.VoiceClosed("gone"));
        on(core, new Event.VoiceOpened());
        on(core, new Event.ProbeCommitPassed(2));

        // Then
        assertThat(core.status().fit()).isTrue();
    }

    @Test
    void aCommitThatDidNotWaitCondemnsTheServerUntilOneDoes() {
        // Given
        ClusterCore core = primary();
        on(core, new Event.VoiceOpened());

        // When
        on(core, new Event.ProbeCommitPassed(1));
        boolean condemned = !core.status().fit();
        List<Action> later = during(core, 1_200, new Event.Tick(0));
        on(core, new Event.ProbeCommitWaited(2));

        // Then
        assertThat(condemned).isTrue();
        assertThat(later).contains(new Action.ProbeCommit(2));
        assertThat(core.status().fit()).isTrue();
    }

    private ClusterCore standby() {
        ClusterCore core = core(N2);
        on(core, new Event.StateApplied(TestingStates.three(), 10));
        on(core, new Event.RaftChanged(false, 2, N1, false, false));
        on(core, new Event.ServerChanged(ServerState.STANDBY, 1));
        on(core, new Event.StreamsClosedBelow(1));
        List<Action> actions = on(core, new Event.PositionRead(reading, START));
        assertThat(concat(actions, on(core, new Event.Tick(0)))).isNotNull();
        return core;
    }

    private ClusterCore primary() {
        ClusterCore core = core(N1);
        on(core, new Event.StateApplied(TestingStates.three(), 10));
        on(core, new Event.RaftChanged(true, 2, N1, true, false));
        on(core, new Event.LeaderLease(now + 10_000_000_000L));
        on(core, new Event.ServerChanged(ServerState.PRIMARY, 1));
        List<Action> ready = on(core, new Event.ServerPrimaryReady(1, 0, Lsn.NONE, new Lsn(1_000)));
        assertThat(ready).contains(new Action.OpenVoice());
        return core;
    }

    private ClusterCore core(NodeId node) {
        return new ClusterCore(new ClusterCore.Start(TestingStates.peer(node), 1, 0, ServerState.DOWN, START, 1), now);
    }

    private List<Action> on(ClusterCore core, Event event) {
        now += 1_000_000;
        List<Action> actions = core.on(now, event);
        for (Action a : actions) {
            if (a instanceof Action.ReadPosition r) {
                reading = r.requestId();
            }
        }
        return actions;
    }

    /** The event, and then only ticks for so long. */
    private List<Action> during(ClusterCore core, int millis, Event event) {
        List<Action> all = new ArrayList<>(on(core, event));
        for (int i = 0; i < millis; i += 10) {
            now += 9_000_000;
            all.addAll(on(core, new Event.Tick(0)));
        }
        return all;
    }

    private static Event freeze(long epoch) {
        return new Event.Received(N1, new CoordMessage.Freeze(2, epoch));
    }

    private static List<CoordMessage.FreezeReply> replies(List<Action> actions) {
        return actions.stream()
                .filter(Action.Send.class::isInstance)
                .map(a -> ((Action.Send) a).message())
                .filter(CoordMessage.FreezeReply.class::isInstance)
                .map(CoordMessage.FreezeReply.class::cast)
                .toList();
    }

    private static List<Action> concat(List<Action> a, List<Action> b) {
        return java.util.stream.Stream.concat(a.stream(), b.stream()).toList();
    }

    private static ClusterState returned() {
        return promoted(
                2, N1, Command.PromoteKind.SAME_PRIMARY, TestingStates.three().rule());
    }

    private static ClusterState promoted(long epoch, NodeId chosen) {
        return promoted(epoch, chosen, Command.PromoteKind.FROZEN, TestingStates.rule(1, N3));
    }

    private static ClusterState promoted(long epoch, NodeId chosen, Command.PromoteKind kind, Rule rule) {
        ClusterState s = TestingStates.three();
        ClusterState next = TestingStates.after(
                s, new Command.Promote(Command.Condition.of(s), epoch, chosen, 1, kind, 2, START, rule, 0, "test"));
        assertThat(next.epoch()).isEqualTo(epoch);
        assertThat(new TreeMap<>(next.members())).containsKey(chosen);
        return next;
    }
}
