package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** n1 was primary of epoch 1 and comes back in epoch 2, which n2 began at 1,000 and which is released. */
class RejoinLadderTest {
    private static final NodeId N1 = TestingStates.N1;
    private static final NodeId N2 = TestingStates.N2;
    private static final NodeId N3 = TestingStates.N3;
    private static final Lsn FORK = new Lsn(1_000);
    private static final Position BEYOND = new Position(1, new Lsn(1_700));

    private long now = 1_000_000_000L;
    private long reading;
    /** What a core did when it heard of epoch 2. */
    private List<Action> atOnce = List.of();

    @Test
    void streamsWhereItsWalEndsAtTheFork() {
        // Given
        ClusterCore core = returning(new Position(1, FORK));

        // When
        List<Action> all = new ArrayList<>(atOnce);
        all.addAll(ticks(core, 50));

        // Then
        assertThat(all).contains(new Action.StartStandby());
        assertThat(all).doesNotHaveAnyElementsOfTypes(Action.PersistGeneration.class);
    }

    @Test
    void rewindsWhereItsWalEndsBeyondTheForkAfterANewGenerationIsOnDisk() {
        // Given
        ClusterCore core = returning(BEYOND);

        // When
        List<Action> before = new ArrayList<>(atOnce);
        before.addAll(ticks(core, 50));
        List<Action> persisted = on(core, new Event.GenerationPersisted(2));
        List<Action> meanwhile = ticks(core, 200_000);

        // Then
        assertThat(before).contains(new Action.PersistGeneration(2));
        assertThat(before).doesNotHaveAnyElementsOfTypes(Action.Rewind.class, Action.Clone.class);
        assertThat(told(before)).contains("rewinds, as generation 2");
        assertThat(persisted)
                .containsSubsequence(new Action.StopFollowing(), new Action.Rewind(N2, 2, 2, BEYOND, FORK));
        assertThat(meanwhile)
                .doesNotHaveAnyElementsOfTypes(
                        Action.Rewind.class, Action.Clone.class, Action.StartStandby.class, Action.ReadPosition.class);
    }

    @Test
    void readsWhereItsWalEndsAfterARewindAndThenStreams() {
        // Given
        ClusterCore core = rewinding();

        // When
        on(core, new Event.RewindDone(2));
        ticks(core, 50);
        List<Action> read = on(core, new Event.PositionRead(reading, new Position(2, new Lsn(2_000))));

        // Then
        assertThat(read).contains(new Action.StartStandby());
    }

    @Test
    void clonesUnderYetAnotherGenerationWhereTheRewindFails() {
        // Given
        ClusterCore core = rewinding();

        // When
        List<Action> failed = on(core, new Event.RewindFailed("there is no pg_rewind", false));
        List<Action> all = new ArrayList<>(failed);
        all.addAll(ticks(core, 50));
        List<Action> persisted = on(core, new Event.GenerationPersisted(3));

        // Then
        assertThat(told(failed)).contains("cannot rewind, and clones instead: there is no pg_rewind");
        assertThat(all).contains(new Action.PersistGeneration(3));
        assertThat(all).doesNotHaveAnyElementsOfTypes(Action.StartStandby.class, Action.Rewind.class);
        assertThat(persisted).contains(new Action.Clone(N2, 2, 3, false));
    }

    @Test
    void rewindsUnderYetAnotherGenerationWhereTheEpochWasOverBeforeAnythingWasChanged() {
        // Given
        ClusterCore core = rewinding();

        // When
        List<Action> failed = on(core, new Event.RewindFailed("the epoch is over", true));
        List<Action> all = new ArrayList<>(failed);
        all.addAll(ticks(core, 50));
        all.addAll(on(core, new Event.PositionRead(reading, BEYOND)));
        all.addAll(ticks(core, 50));
        List<Action> persisted = on(core, new Event.GenerationPersisted(3));

        // Then
        assertThat(told(failed)).contains("has not rewound, its data are what they were: the epoch is over");
        assertThat(all).contains(new Action.PersistGeneration(3));
        assertThat(all).doesNotHaveAnyElementsOfTypes(Action.StartStandby.class, Action.Clone.class);
        assertThat(persisted).contains(new Action.Rewind(N2, 2, 3, BEYOND, FORK));
    }

    @Test
    void holdsACopyThatFailedFromOnePrimaryAgainstNoLaterOne() {
        // Given
        ClusterCore core = rewinding();
        on(core, new Event.RewindFailed("there is no pg_rewind", false));
        ticks(core, 50);
        on(core, new Event.GenerationPersisted(3));
        on(core, new Event.ServerFailed("clone from n2: it did not answer"));
        assertThat(core.status().fit()).isFalse();

        // When
        List<Action> again = new ArrayList<>(ticks(core, 100));
        again.addAll(on(core, new Event.GenerationPersisted(4)));
        boolean fitInTheSameEpoch = core.status().fit();
        ClusterState s = released();
        on(core, new Event.CloneOvertaken());
        on(core, new Event.StateApplied(promotedAfter(s, N3), 30));
        ticks(core, 50);
        again.addAll(on(core, new Event.GenerationPersisted(5)));

        // Then
        assertThat(again).contains(new Action.Clone(N2, 2, 4, false), new Action.Clone(N3, 3, 5, false));
        assertThat(fitInTheSameEpoch).isFalse();
        assertThat(core.status().fit()).isTrue();
    }

    @Test
    void clonesAtOnceWhereTheEndOfItsWalCannotBeTold() {
        // Given
        ClusterCore core = returning(null);

        // When
        List<Action> all = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            all.addAll(ticks(core, 150));
            all.addAll(on(core, new Event.PositionRead(reading, null)));
        }
        List<Action> persisted = on(core, new Event.GenerationPersisted(2));

        // Then
        assertThat(all).contains(new Action.PersistGeneration(2));
        assertThat(persisted).contains(new Action.Clone(N2, 2, 2, false));
    }

    @Test
    void keepsWhatItHasUntilTheEpochIsReleased() {
        // Given
        ClusterCore core = core(BEYOND);
        on(core, new Event.StateApplied(promoted(), 20));
        on(core, new Event.RaftChanged(false, 2, N3, false, false));

        // When
        List<Action> all = ticks(core, 10_000);

        // Then
        assertThat(all).doesNotHaveAnyElementsOfTypes(Action.PersistGeneration.class, Action.Rewind.class);
    }

    @Test
    void whatIsSaidOfARewindThatIsNoLongerWaitedForChangesNothing() {
        // Given
        ClusterCore core = returning(new Position(1, FORK));
        ticks(core, 50);
        on(core, new Event.ServerChanged(ServerState.STANDBY, 1));

        // When
        List<Action> late = on(core, new Event.RewindFailed("interrupted", false));
        late = new ArrayList<>(late);
        late.addAll(ticks(core, 50));

        // Then
        assertThat(late).doesNotHaveAnyElementsOfTypes(Action.PersistGeneration.class, Action.Clone.class);
        assertThat(core.status().server()).isEqualTo(ServerState.STANDBY);
    }

    private ClusterCore rewinding() {
        ClusterCore core = returning(BEYOND);
        ticks(core, 50);
        assertThat(on(core, new Event.GenerationPersisted(2))).hasAtLeastOneElementOfType(Action.Rewind.class);
        return core;
    }

    private ClusterCore returning(@Nullable Position end) {
        ClusterCore core = core(end);
        on(core, new Event.RaftChanged(false, 2, N2, false, false));
        atOnce = on(core, new Event.StateApplied(released(), 20));
        return core;
    }

    private ClusterCore core(@Nullable Position end) {
        return new ClusterCore(new ClusterCore.Start(TestingStates.peer(N1), 1, 0, ServerState.DOWN, end, 1), now);
    }

    private static ClusterState promoted() {
        return promotedAfter(TestingStates.three(), N2);
    }

    private static ClusterState promotedAfter(ClusterState s, NodeId primary) {
        return TestingStates.after(
                s,
                new Command.Promote(
                        Command.Condition.of(s),
                        s.epoch() + 1,
                        primary,
                        1,
                        Command.PromoteKind.FROZEN,
                        s.timeline() + 1,
                        new Position(s.timeline(), FORK),
                        TestingStates.rule(1, primary.equals(N3) ? N2 : N3),
                        0,
                        "test"));
    }

    private static ClusterState released() {
        ClusterState s = promoted();
        ClusterState next = TestingStates.after(s, new Command.Release(Command.Condition.of(s), 1, FORK));
        assertThat(next.released()).isTrue();
        return next;
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

    /** Nothing but ticks for so long. */
    private List<Action> ticks(ClusterCore core, int millis) {
        List<Action> all = new ArrayList<>();
        for (int i = 0; i < millis; i += 10) {
            now += 9_000_000;
            all.addAll(on(core, new Event.Tick(0)));
        }
        return all;
    }

    private static String told(List<Action> actions) {
        StringBuilder out = new StringBuilder();
        actions.stream()
                .filter(Action.Tell.class::isInstance)
                .map(Action.Tell.class::cast)
                .forEach(tell -> out.append(tell.what()).append('\n'));
        return out.toString();
    }
}
