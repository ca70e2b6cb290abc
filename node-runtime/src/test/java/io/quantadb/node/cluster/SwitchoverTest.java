package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.CoordMessage.Step;
import io.quantadb.node.cluster.SwitchoverReport.Phase;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** n1 leads and serves, n2 and n3 stream; every test asks it for another primary and plays the other two. */
class SwitchoverTest {
    private static final Lsn END = new Lsn(5_000);
    private static final Position STOPPED = new Position(1, new Lsn(5_100));
    private static final long ID = 77;

    private final Map<NodeId, LocalStatus> others = new HashMap<>();
    private final List<Action> all = new ArrayList<>();
    private long now = 1_000_000_000L;
    private long reading;
    private ClusterState state = TestingStates.three();
    private ClusterCore core = core(new ProtocolRules());

    // ---- in order

    @Test
    void fencesOnlyWhenTheCheckpointIsWrittenNothingIsUnderWayAndTheHeirAnswers() {
        // Given
        List<Action> asked = ask(N2);
        List<Action> checkpointed = on(new Event.CheckpointDone(round()));
        List<Action> drained = on(new Event.FrontDrained(round()));

        // When
        List<Action> answered = heirAnswers();

        // Then
        assertThat(asked).hasAtLeastOneElementOfType(Action.Checkpoint.class);
        assertThat(asked).doesNotHaveAnyElementsOfTypes(Action.DrainFront.class);
        assertThat(checkpointed).hasAtLeastOneElementOfType(Action.DrainFront.class);
        assertThat(drained).doesNotHaveAnyElementsOfTypes(Action.CloseFront.class, Action.StopServer.class);
        assertThat(answered)
                .containsSubsequence(
                        new Action.CloseFront("the primary moves to n2"),
                        new Action.SetPermit(null),
                        new Action.CloseVoice(),
                        new Action.KeepOnlyStream(N2),
                        new Action.StopServer(false));
        assertThat(answered).doesNotHaveAnyElementsOfTypes(Action.ServeStreams.class);
    }

    @Test
    void promotesTheHeirOnTheStoppedPrimarysWordAndNamesItInTheNextRule() {
        // Given
        stopped(N2);
        List<Action> silentThird = new ArrayList<>(heirHas(STOPPED.lsn()));
        silentThird.addAll(frozen());

        // When
        silentThird.addAll(freezeReply(N2, STOPPED));
        List<Action> waited = ticks(40);

        // Then
        assertThat(promotions(silentThird)).as("n3 is given a moment").isEmpty();
        assertThat(promotions(waited)).singleElement().satisfies(p -> {
            assertThat(p.kind()).isEqualTo(Command.PromoteKind.HANDED_OVER);
            assertThat(p.node()).isEqualTo(N2);
            assertThat(p.epoch()).isEqualTo(2);
            assertThat(p.timeline()).isEqualTo(2);
            assertThat(p.from()).isEqualTo(STOPPED);
            assertThat(p.nextRule()).isEqualTo(TestingStates.rule(1, N1));
        });
    }

    @Test
    void measuresFromTheHoldUntilTheHeirServesAndThenFollowsItWithoutAClone() {
        // Given
        stopped(N2);
        heirHas(STOPPED.lsn());
        frozen();
        freezeReply(N3, STOPPED);
        Command.Promote promote = promotions(freezeReply(N2, STOPPED)).getFirst();
        List<Action> demoted = apply(promote);
        demoted.addAll(ticks(20));
        apply(new Command.Release(Command.Condition.of(state), 1, STOPPED.lsn()));

        // When
        List<Action> serves = received(N2, new CoordMessage.Serves(2, 2));

        // Then
        assertThat(promote.nextRule()).isEqualTo(TestingStates.rule(1, N1, N3));
        assertThat(demoted).contains(new Action.StartStandby());
        assertThat(demoted).doesNotHaveAnyElementsOfTypes(Action.PersistGeneration.class);
        assertThat(shown(serves)).last().satisfies(r -> {
            assertThat(r.id()).isEqualTo(ID);
            assertThat(r.phase()).isEqualTo(Phase.DONE);
            assertThat(r.epoch()).isEqualTo(2);
            assertThat(r.gapMillis()).isBetween(1L, r.tookMillis());
            assertThat(r.steps())
                    .extracting(SwitchoverReport.Step::name)
                    .containsExactly("prepare", "hold", "stop", "freeze", "commit", "release", "open");
            assertThat(r.steps().stream()
                            .mapToLong(SwitchoverReport.Step::millis)
                            .sum())
                    .as("no time is counted twice, and none is left out but for fractions of milliseconds")
                    .isBetween(r.tookMillis() - r.steps().size(), r.tookMillis());
        });
    }

    @Test
    void proposesTheReleaseOnceHoweverOftenItIsSaidToBeDueAndAgainWhenNothingCameOfIt() {
        // Given
        stopped(N2);
        heirHas(STOPPED.lsn());
        frozen();
        freezeReply(N3, STOPPED);
        apply(promotions(freezeReply(N2, STOPPED)).getFirst());
        var due = new CoordMessage.NextRuleSatisfied(2, state.version(), 2, 1, STOPPED.lsn());

        // When
        List<Action> said = received(N2, due);
        List<Action> saidAgain = received(N2, due);
        ticks(300);
        List<Action> saidLater = received(N2, due);

        // Then
        var release = new Action.Propose(new Command.Release(Command.Condition.of(state), 1, STOPPED.lsn()));
        assertThat(said).contains(release);
        assertThat(saidAgain).doesNotContain(release);
        assertThat(saidLater).contains(release);
    }

    @Test
    void aNodeThatLeavesDoesNotCountForTheNextRule() {
        // Given
        on(asked(new SwitchoverRequest(ID, 1, null, 5_000, 0, true)));
        on(new Event.CheckpointDone(round()));
        on(new Event.FrontDrained(round()));
        heirAnswers();
        serverStopped();
        heirHas(STOPPED.lsn());
        frozen();
        freezeReply(N3, STOPPED);

        // When
        List<Action> answered = freezeReply(N2, STOPPED);

        // Then
        assertThat(promotions(answered))
                .singleElement()
                .satisfies(p -> assertThat(p.nextRule()).isEqualTo(TestingStates.rule(1, N3)));
    }

    // ---- refused

    @ParameterizedTest(name = "{0} because {3}")
    @CsvSource({
        "n9,       n2, REFUSED, n9 is no member of this cluster",
        "n1,       n2, REFUSED, n1 is the primary already",
        "silent,   n2, REFUSED, n2 has not been heard from lately",
        "unfit,    n2, REFUSED, n2 is unfit: full disk",
        "down,     n2, REFUSED, n2 has no running standby",
        "gone,     n2, REFUSED, n2 does not stream from the primary",
        "far,      n2, REFUSED, n2 is 16777217 bytes of WAL behind",
        "slow,     n2, REFUSED, n2 has 16777217 bytes of WAL left to replay",
        "zero,     n2, REFUSED, 'n2 has priority 0, and is never primary'",
        "tending,  n2, REFUSED, n2 is in maintenance",
        "learner,  n2, REFUSED, n2 does not vote yet",
        "leaving,  n2, REFUSED, n2 is being removed",
        "replica,  n2, REFUSED, n2 is a read replica and cannot be primary",
        "witness,  n2, REFUSED, n2 is a witness and cannot be primary",
        "joint,    n2, NOT_NOW, the rule that says who acknowledges is being changed",
        "unready,  n2, NOT_NOW, a failover is under way",
        "all,      '', REFUSED, no node can take over: n2 does not stream from the primary; n3 does not stream",
    })
    void refusesWithTheReasonAndTouchesNothing(String what, String target, Action.AdminVerdict verdict, String words) {
        // Given
        NodeId asked = what.startsWith("n") && !what.equals("n2") ? new NodeId(what) : named(target);
        prepare(what);

        // When
        List<Action> actions = new ArrayList<>(ask(asked));

        // Then
        assertThat(answers(actions)).singleElement().satisfies(a -> {
            assertThat(a.requestId()).isEqualTo(9);
            assertThat(a.verdict()).isEqualTo(verdict);
            assertThat(a.words()).startsWith(words);
        });
        actions.addAll(ticks(200));
        assertThat(actions)
                .doesNotHaveAnyElementsOfTypes(
                        Action.Checkpoint.class, Action.DrainFront.class, Action.CloseFront.class);
    }

    private void prepare(String what) {
        switch (what) {
            case "silent" -> {
                others.remove(N2);
                ticks(500);
            }
            case "unfit" -> report(N2, status(ServerState.STANDBY, 1, END, false));
            case "down" -> report(N2, status(ServerState.DOWN, 0, END, true));
            case "gone" -> report(N2, status(ServerState.STANDBY, 0, END, true));
            case "far" -> {
                Lsn far = new Lsn(END.value() + (16L << 20) + 1);
                on(new Event.MemberProgress(new MemberRef(N3, 1), 1, far, far));
                ticks(60);
            }
            case "slow" -> {
                Lsn far = new Lsn(END.value() + (16L << 20) + 1);
                on(new Event.MemberProgress(new MemberRef(N3, 1), 1, far, far));
                report(N2, status(ServerState.STANDBY, 1, far, END, true));
                ticks(60);
            }
            case "zero" -> {
                Member m = TestingStates.member(N2);
                apply(new Command.UpdateMember(m.peer(), m.addresses(), "", 0));
            }
            case "tending" -> apply(new Command.SetMaintenance(TestingStates.peer(N2), true));
            case "learner" -> apply(new Command.SetMemberState(TestingStates.peer(N2), MemberState.LEARNER));
            case "leaving" -> apply(new Command.SetMemberState(TestingStates.peer(N2), MemberState.LEAVING));
            case "witness" -> another(MemberKind.WITNESS, MemberState.VOTER);
            case "replica" -> another(MemberKind.READ_REPLICA, MemberState.LEARNER);
            case "joint" -> apply(new Command.Joint(Command.Condition.of(state), TestingStates.rule(2, N2, N3)));
            case "unready" ->
                apply(new Command.Promote(
                        Command.Condition.of(state),
                        2,
                        N1,
                        1,
                        Command.PromoteKind.SAME_PRIMARY,
                        1,
                        new Position(1, Lsn.NONE),
                        TestingStates.rule(1, N2, N3),
                        0,
                        "test"));
            case "all" -> {
                report(N2, status(ServerState.STANDBY, 0, END, true));
                report(N3, status(ServerState.STANDBY, 0, END, true));
            }
            default -> {
                // Only the target is wrong.
            }
        }
    }

    /** n2 is a member of that kind from now on. */
    private void another(MemberKind kind, MemberState in) {
        apply(new Command.Joint(Command.Condition.of(state), TestingStates.rule(1, N3)));
        apply(new Command.Finish(Command.Condition.of(state)));
        apply(new Command.RemoveMember(TestingStates.peer(N2)));
        Member m = TestingStates.member(N2);
        apply(new Command.AddMember(new Member(m.peer(), 1, kind, in, m.addresses(), "", 0, false)));
    }

    @Test
    void takesUpOneAtATimeAndSaysTheSameAgainToWhoAsksAgain() {
        // Given
        ask(N2);
        var request = new SwitchoverRequest(88, 1, N3, 1_000, 0, false);

        // When
        List<Action> other = on(asked(request));
        List<Action> again = ask(N2);

        // Then
        assertThat(answers(other))
                .containsExactly(
                        new Action.AdminAnswer(9, Action.AdminVerdict.REFUSED, "another switchover is under way"));
        assertThat(answers(again)).containsExactly(new Action.AdminAnswer(9, Action.AdminVerdict.ACCEPTED, "n2"));
        assertThat(told(N3, again)).singleElement().satisfies(r -> {
            assertThat(r.id()).isEqualTo(ID);
            assertThat(r.phase()).isEqualTo(Phase.PREPARING);
        });
        assertThat(other).doesNotHaveAnyElementsOfTypes(Action.Checkpoint.class);
        assertThat(again).doesNotHaveAnyElementsOfTypes(Action.Checkpoint.class);
    }

    @Test
    void membersAndModeStandStillFromTheHoldOn() {
        // Given
        ask(N2);
        on(new Event.CheckpointDone(round()));

        // When
        List<Action> removal = on(new Event.AdminAsked(10, new AdminRequest.RemoveMember(N3, true)));

        // Then
        assertThat(answers(removal))
                .containsExactly(new Action.AdminAnswer(10, Action.AdminVerdict.NOT_NOW, "the primary is being moved"));
        assertThat(removal).doesNotHaveAnyElementsOfTypes(Action.Propose.class);
    }

    @Test
    void aRequestThatWasMadeInAnotherEpochMovesNothing() {
        // Given
        var late = new SwitchoverRequest(88, 0, null, 1_000, 0, false);

        // When
        List<Action> actions = on(asked(late));

        // Then
        assertThat(answers(actions))
                .containsExactly(new Action.AdminAnswer(
                        9, Action.AdminVerdict.REFUSED, "the primary has changed meanwhile: it is n1, of epoch 1"));
    }

    // ---- given up

    @Test
    void letsTransactionsBeginAgainWhenTheHeirDoesNotAnswerWhileTheyAreHeld() {
        // Given
        ask(N2);
        on(new Event.CheckpointDone(round()));
        on(new Event.FrontDrained(round()));

        // When
        List<Action> after = ticks(900);

        // Then
        assertThat(after).contains(new Action.ResumeFront());
        assertThat(after).doesNotHaveAnyElementsOfTypes(Action.CloseFront.class, Action.StopServer.class);
        assertThat(shown(after)).last().satisfies(r -> {
            assertThat(r.phase()).isEqualTo(Phase.ABORTED);
            assertThat(r.words()).isEqualTo("n2 did not answer while transactions were held back");
            assertThat(r.gapMillis()).isBetween(500L, 900L);
        });
        assertThat(core.frontOpen()).isTrue();
    }

    @Test
    void fencesNothingWhenTheCheckpointIsNotWrittenInTime() {
        // When
        on(asked(new SwitchoverRequest(ID, 1, N2, 400, 0, false)));
        List<Action> after = ticks(600);

        // Then
        assertThat(shown(after)).last().satisfies(r -> {
            assertThat(r.phase()).isEqualTo(Phase.ABORTED);
            assertThat(r.words()).isEqualTo("n1 did not write a checkpoint in time");
        });
        assertThat(after).doesNotHaveAnyElementsOfTypes(Action.DrainFront.class);
    }

    @Test
    void holdsNothingBackAnyMoreWhenItsLeaderIsAnother() {
        // Given
        ask(N2);
        List<Action> held = on(new Event.CheckpointDone(round()));

        // When
        List<Action> after = on(new Event.RaftChanged(false, 3, N3, false, false));

        // Then
        assertThat(held).hasAtLeastOneElementOfType(Action.DrainFront.class);
        assertThat(after).contains(new Action.ResumeFront());
    }

    @Test
    void aStopThatComesAfterTheHoldIsOverFindsNothingToStop() {
        // Given: n3 leads, and n1 was held by it
        core = follower();
        step(Step.PREPARE);
        on(new Event.CheckpointDone(9));
        step(Step.HOLD);
        List<Action> resumed = step(Step.RESUME);

        // When
        List<Action> late = step(Step.STOP);
        late.addAll(step(Step.HOLD));

        // Then
        assertThat(resumed).contains(new Action.ResumeFront());
        assertThat(late)
                .doesNotHaveAnyElementsOfTypes(
                        Action.CloseFront.class, Action.StopServer.class, Action.DrainFront.class);
        assertThat(stepsDone(late)).containsOnly(Step.RESUME);
    }

    @Test
    void saysNothingOfAHoldThatIsOverToALeaderThatHasNotSeenYetThatTheServerEnded() {
        // Given
        core = follower();
        step(Step.PREPARE);
        on(new Event.CheckpointDone(9));
        step(Step.HOLD);
        List<Action> stopping = step(Step.STOP);
        on(new Event.ServerChanged(ServerState.DOWN, 0));

        // When
        List<Action> again = step(Step.STOP);

        // Then
        assertThat(stopping).contains(new Action.StopServer(false));
        assertThat(stepsDone(again)).isEmpty();
    }

    @Test
    void aHoldEndsByItselfWhenItsLeaderSaysNothingMore() {
        // Given
        core = follower();
        step(Step.PREPARE);
        on(new Event.CheckpointDone(9));
        List<Action> held = step(Step.HOLD);

        // When
        List<Action> after = ticks(1_700);

        // Then
        assertThat(held).hasAtLeastOneElementOfType(Action.DrainFront.class);
        assertThat(after).contains(new Action.ResumeFront());
        assertThat(stepsDone(step(Step.STOP))).containsOnly(Step.RESUME);
    }

    @Test
    void aStopThatWaitedForAPausedPrimaryFindsTheHoldOver() {
        // Given
        core = follower();
        step(Step.PREPARE);
        on(new Event.CheckpointDone(9));
        List<Action> held = step(Step.HOLD);

        // When: this node did not run for a while, and hears what was said meanwhile before it has looked at the time
        now += 5_000_000_000L;
        List<Action> late = step(Step.STOP);

        // Then
        assertThat(held).hasAtLeastOneElementOfType(Action.DrainFront.class);
        assertThat(late).contains(new Action.ResumeFront());
        assertThat(late).doesNotHaveAnyElementsOfTypes(Action.StopServer.class);
        assertThat(stepsDone(late)).containsOnly(Step.RESUME);
    }

    @Test
    void fencesNothingForAnHeirThatFellSilentBeforeTheLastTransactionWasOver() {
        // Given
        on(asked(new SwitchoverRequest(ID, 1, N2, 5_000, 2_000, false)));
        on(new Event.CheckpointDone(round()));
        heirAnswers();
        others.remove(N2);
        ticks(600);

        // When
        List<Action> after = new ArrayList<>(on(new Event.FrontDrained(round())));
        after.addAll(ticks(2_500));

        // Then
        assertThat(after).contains(new Action.ResumeFront());
        assertThat(after).doesNotHaveAnyElementsOfTypes(Action.CloseFront.class, Action.StopServer.class);
        assertThat(shown(after))
                .last()
                .satisfies(r -> assertThat(r.words()).isEqualTo("n2 has not been heard from lately"));
    }

    @Test
    void startsTheOldPrimaryAgainInItsEpochWhenTheHeirDidNotGetTheLastOfTheWal() {
        // Given
        stopped(N2);
        heirHas(END);

        // When
        List<Action> after = ticks(400);

        // Then
        assertThat(after).contains(new Action.StartPrimary());
        assertThat(after).doesNotHaveAnyElementsOfTypes(Action.PersistPromise.class);
        assertThat(promotions(after)).isEmpty();
        assertThat(shown(after)).last().satisfies(r -> assertThat(r.phase()).isEqualTo(Phase.RETURNING));
    }

    @Test
    void promotesNobodyWhoEndsBeforeTheOldPrimaryEvenIfItSaidThatItHadAll() {
        // Given
        stopped(N2);
        heirHas(STOPPED.lsn());
        frozen();

        // When
        List<Action> lacking = new ArrayList<>(freezeReply(N2, new Position(1, END)));
        lacking.addAll(freezeReply(N3, new Position(1, END)));
        List<Command.Promote> soon = promotions(lacking);

        // Then
        assertThat(soon).isEmpty();
        assertThat(shown(lacking)).last().satisfies(r -> {
            assertThat(r.phase()).isEqualTo(Phase.ABORTED);
            assertThat(r.words()).isEqualTo("n2 does not hold all that n1 has; a failover decides");
        });
    }

    @Test
    void leavesItToAFailoverWhenTheHeirDoesNotAnswerTheFreeze() {
        // Given
        stopped(N2);
        heirHas(STOPPED.lsn());
        frozen();
        freezeReply(N3, STOPPED);

        // When
        List<Action> after = ticks(600);

        // Then
        assertThat(promotions(after)).isEmpty();
        assertThat(shown(after))
                .last()
                .satisfies(
                        r -> assertThat(r.words()).isEqualTo("n1 or n2 did not answer the freeze; a failover decides"));
        assertThat(after.stream().filter(Action.Tell.class::isInstance).map(a -> ((Action.Tell) a).what()))
                .anyMatch(line -> line.startsWith("considers a failover from epoch 1"));
    }

    // ---- the state machine

    @ParameterizedTest
    @CsvSource({"n1, true", "n2, false"})
    void onlyThePrimaryOfAReleasedEpochHandsOverAndToAnother(String to, boolean releasedFirst) {
        // Given
        ClusterState s = TestingStates.three();
        if (!releasedFirst) {
            s = TestingStates.after(s, handedOver(s, N3, 2, 2));
            assertThat(s.released()).isFalse();
        }

        // When
        Transitions.Result result = new Transitions(new ProtocolRules())
                .apply(s, handedOver(s, new NodeId(to), s.epoch() + 1, s.lastTimeline() + 1));

        // Then
        assertThat(result.refused()).isEqualTo("only the primary of a released epoch hands over, and to another");
    }

    private static Command.Promote handedOver(ClusterState s, NodeId to, long epoch, int timeline) {
        return new Command.Promote(
                Command.Condition.of(s),
                epoch,
                to,
                1,
                Command.PromoteKind.HANDED_OVER,
                timeline,
                STOPPED,
                TestingStates.rule(0),
                0,
                "switchover, asked for");
    }

    // ---- playing it

    private static @Nullable NodeId named(String name) {
        return name.isEmpty() ? null : new NodeId(name);
    }

    private ClusterCore core(ProtocolRules rules) {
        core = new ClusterCore(
                new ClusterCore.Start(
                        TestingStates.peer(N1), 1, 0, ServerState.DOWN, new Position(1, new Lsn(1_000)), 1),
                now,
                rules);
        on(new Event.StateApplied(state, 10));
        on(new Event.RaftChanged(true, 2, N1, true, false));
        on(new Event.LeaderLease(now + 60_000_000_000L));
        others.put(N2, status(ServerState.STANDBY, 1, END, true));
        others.put(N3, status(ServerState.STANDBY, 1, END, true));
        serve();
        return core;
    }

    /** The same node where n3 leads; the front is open by a grant. */
    private ClusterCore follower() {
        core = new ClusterCore(
                new ClusterCore.Start(
                        TestingStates.peer(N1), 1, 0, ServerState.DOWN, new Position(1, new Lsn(1_000)), 1),
                now);
        on(new Event.StateApplied(state, 10));
        on(new Event.RaftChanged(false, 2, N3, false, false));
        serve();
        return core;
    }

    private void serve() {
        on(new Event.ServerChanged(ServerState.PRIMARY, 1));
        on(new Event.ServerPrimaryReady(1, 0, Lsn.NONE, new Lsn(1_000)));
        on(new Event.VoiceOpened());
        on(new Event.ProbeCommitWaited(1));
        on(new Event.PermitObeyed(1, state.version()));
        on(new Event.MemberProgress(new MemberRef(N3, 1), 1, END, END));
        on(new Event.VoiceReported(END));
        ticks(60);
    }

    private List<Action> ask(@Nullable NodeId target) {
        return on(asked(new SwitchoverRequest(ID, state.epoch(), target, 5_000, 100, false)));
    }

    private static Event.AdminAsked asked(SwitchoverRequest request) {
        return new Event.AdminAsked(9, new AdminRequest.Switchover(request));
    }

    private long round() {
        return all.stream()
                .filter(Action.Checkpoint.class::isInstance)
                .map(a -> ((Action.Checkpoint) a).round())
                .reduce((a, b) -> b)
                .orElseThrow();
    }

    private List<Action> heirAnswers() {
        return received(N2, new CoordMessage.ProbeReply(2, -round(), others.get(N2)));
    }

    private List<Action> heirHas(Lsn flushed) {
        others.put(N2, status(ServerState.STANDBY, 0, flushed, true));
        return heirAnswers();
    }

    /** Up to the end of n1's server. */
    private List<Action> stopped(NodeId heir) {
        ask(heir);
        on(new Event.CheckpointDone(round()));
        on(new Event.FrontDrained(round()));
        heirAnswers();
        return serverStopped();
    }

    private List<Action> serverStopped() {
        on(new Event.ServerChanged(ServerState.DOWN, 0));
        on(new Event.Tick(0));
        return on(new Event.PositionRead(reading, STOPPED));
    }

    /** n1's own part of the freeze. */
    private List<Action> frozen() {
        List<Action> actions = new ArrayList<>(on(new Event.PromisePersisted(2)));
        actions.addAll(on(new Event.StreamsClosedBelow(2)));
        actions.addAll(on(new Event.PositionRead(reading, STOPPED)));
        return actions;
    }

    private List<Action> freezeReply(NodeId from, Position at) {
        return received(from, new CoordMessage.FreezeReply(2, 2, 1, at, at.lsn()));
    }

    private List<Action> step(Step step) {
        return received(N3, new CoordMessage.SwitchoverStep(2, 1, 9, step, N2, 50));
    }

    private List<Action> apply(Command command) {
        ClusterState before = state;
        state = TestingStates.after(state, command);
        assertThat(state).isNotEqualTo(before);
        return new ArrayList<>(on(new Event.StateApplied(state, 20)));
    }

    private void report(NodeId from, LocalStatus status) {
        others.put(from, status);
        received(from, new CoordMessage.Report(2, 11, status));
    }

    private List<Action> received(NodeId from, CoordMessage message) {
        return new ArrayList<>(on(new Event.Received(from, message)));
    }

    private List<Action> on(Event event) {
        now += 1_000_000;
        List<Action> actions = core.on(now, event);
        for (Action a : actions) {
            if (a instanceof Action.ReadPosition r) {
                reading = r.requestId();
            }
        }
        all.addAll(actions);
        return actions;
    }

    /** Only time passes, and what the others report. */
    private List<Action> ticks(int millis) {
        List<Action> actions = new ArrayList<>();
        for (int i = 0; i < millis; i += 10) {
            now += 7_000_000;
            actions.addAll(on(new Event.Tick(0)));
            for (var other : others.entrySet()) {
                LocalStatus st = other.getValue();
                actions.addAll(on(new Event.Received(other.getKey(), new CoordMessage.Report(2, 11, inEpoch(st)))));
            }
        }
        return actions;
    }

    private LocalStatus inEpoch(LocalStatus s) {
        return new LocalStatus(
                s.generation(),
                s.promise(),
                s.appliedIndex(),
                s.appliedVersion(),
                state.epoch(),
                s.server(),
                s.timeline(),
                s.everRan(),
                s.position(),
                s.replayed(),
                s.streamingEpoch(),
                s.flushed(),
                s.fit(),
                s.reason());
    }

    private LocalStatus status(ServerState server, long streamingEpoch, Lsn flushed, boolean fit) {
        return status(server, streamingEpoch, flushed, flushed, fit);
    }

    private LocalStatus status(ServerState server, long streamingEpoch, Lsn flushed, Lsn replayed, boolean fit) {
        return new LocalStatus(
                1,
                0,
                10,
                state.version(),
                state.epoch(),
                server,
                1,
                false,
                null,
                replayed,
                streamingEpoch,
                flushed,
                fit,
                fit ? "" : "full disk");
    }

    private static List<Command.Promote> promotions(List<Action> actions) {
        return actions.stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .filter(Command.Promote.class::isInstance)
                .map(Command.Promote.class::cast)
                .toList();
    }

    private static List<SwitchoverReport> shown(List<Action> actions) {
        return actions.stream()
                .filter(Action.ShowSwitchover.class::isInstance)
                .map(a -> ((Action.ShowSwitchover) a).report())
                .toList();
    }

    private static List<Action.AdminAnswer> answers(List<Action> actions) {
        return actions.stream()
                .filter(Action.AdminAnswer.class::isInstance)
                .map(Action.AdminAnswer.class::cast)
                .toList();
    }

    private static List<SwitchoverReport> told(NodeId node, List<Action> actions) {
        return actions.stream()
                .filter(a -> a instanceof Action.Send s && s.to().equals(node))
                .map(a -> ((Action.Send) a).message())
                .filter(CoordMessage.SwitchoverTold.class::isInstance)
                .map(m -> ((CoordMessage.SwitchoverTold) m).report())
                .toList();
    }

    private static List<Step> stepsDone(List<Action> actions) {
        return actions.stream()
                .filter(Action.Send.class::isInstance)
                .map(a -> ((Action.Send) a).message())
                .filter(CoordMessage.SwitchoverStepDone.class::isInstance)
                .map(m -> ((CoordMessage.SwitchoverStepDone) m).step())
                .toList();
    }
}
