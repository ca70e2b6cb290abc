package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.SwitchoverReport.Phase;
import io.quantadb.node.common.Lsn;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** n3 hears of a switchover that n1 leads: whatever becomes of that leader, n3 shows an end of it. */
class SwitchoverWatchTest {
    private static final long ID = 5;

    private long now = 1_000_000_000L;
    private ClusterState state = TestingStates.three();
    private final ClusterCore core =
            new ClusterCore(new ClusterCore.Start(TestingStates.peer(N3), 1, 0, ServerState.DOWN, null, 1), now);

    SwitchoverWatchTest() {
        on(new Event.StateApplied(state, 10));
        on(new Event.RaftChanged(false, 2, N1, false, false));
    }

    @Test
    void endsByTheStateWhenTheLeaderGoesAwayAfterThePrimaryHasMoved() {
        // Given
        told(Phase.PROMOTING, 300);
        promote();

        // When
        on(new Event.RaftChanged(false, 3, N2, false, false));
        List<Action> soon = ticks(2_500);
        List<Action> after = ticks(1_000);

        // Then
        assertThat(shown(soon)).isEmpty();
        assertThat(shown(after)).singleElement().satisfies(r -> {
            assertThat(r.id()).isEqualTo(ID);
            assertThat(r.phase()).isEqualTo(Phase.DONE);
            assertThat(r.to()).isEqualTo(N2);
            assertThat(r.epoch()).isEqualTo(2);
            assertThat(r.gapMillis()).isEqualTo(-1);
        });
    }

    @Test
    void endsAsGivenUpWhenTheLeaderGoesAwayAndNothingHasMoved() {
        // Given
        told(Phase.HOLDING, 100);

        // When
        on(new Event.RaftChanged(false, 3, N2, false, false));
        List<Action> after = ticks(3_200);

        // Then
        assertThat(shown(after)).singleElement().satisfies(r -> {
            assertThat(r.phase()).isEqualTo(Phase.ABORTED);
            assertThat(r.words()).isEqualTo("the leader went away; n1 is primary");
        });
    }

    @Test
    void waitsLongerForALeaderThatLeadsOn() {
        // Given
        told(Phase.STOPPING, 100);

        // When
        List<Action> soon = ticks(29_000);
        List<Action> after = ticks(2_000);

        // Then
        assertThat(shown(soon)).isEmpty();
        assertThat(shown(after))
                .singleElement()
                .satisfies(r -> assertThat(r.phase()).isEqualTo(Phase.ABORTED));
    }

    @Test
    void isNotLedAstrayByWordsThatWereOvertakenOnTheirWay() {
        // Given
        told(Phase.STOPPING, 200);

        // When
        List<Action> late = told(Phase.HOLDING, 100);
        List<Action> done = told(Phase.DONE, 300);
        List<Action> afterTheEnd = told(Phase.PROMOTING, 250);
        List<Action> later = ticks(40_000);

        // Then
        assertThat(shown(late)).isEmpty();
        assertThat(shown(done))
                .singleElement()
                .satisfies(r -> assertThat(r.phase()).isEqualTo(Phase.DONE));
        assertThat(shown(afterTheEnd)).isEmpty();
        assertThat(shown(later)).isEmpty();
    }

    @Test
    void endsTheFormerWhenAnotherBeginsSinceItsEndWasLost() {
        // Given
        told(Phase.HOLDING, 100);

        // When
        List<Action> next = told(ID + 1, Phase.PREPARING, 10);

        // Then
        assertThat(shown(next)).extracting(SwitchoverReport::id).containsExactly(ID, ID + 1);
        assertThat(shown(next)).extracting(SwitchoverReport::phase).containsExactly(Phase.ABORTED, Phase.PREPARING);
    }

    @Test
    void believesTheLeaderThatItHearsInTheEndMoreThanItsOwnGuess() {
        // Given
        told(Phase.STOPPING, 100);
        ticks(31_000);

        // When
        List<Action> done = told(Phase.DONE, 31_000);

        // Then
        assertThat(shown(done))
                .singleElement()
                .satisfies(r -> assertThat(r.phase()).isEqualTo(Phase.DONE));
    }

    // ---- playing it

    private List<Action> told(Phase phase, long tookMillis) {
        return told(ID, phase, tookMillis);
    }

    private List<Action> told(long id, Phase phase, long tookMillis) {
        var report = new SwitchoverReport(id, phase, N1, N2, 1, "", -1, tookMillis);
        return on(new Event.Received(N1, new CoordMessage.SwitchoverTold(2, report)));
    }

    private void promote() {
        Position at = new Position(1, new Lsn(5_000));
        state = TestingStates.after(
                state,
                new Command.Promote(
                        Command.Condition.of(state),
                        2,
                        N2,
                        1,
                        Command.PromoteKind.HANDED_OVER,
                        2,
                        at,
                        TestingStates.rule(1, N1, N3),
                        0,
                        "switchover, asked for"));
        on(new Event.StateApplied(state, 20));
        state = TestingStates.after(state, new Command.Release(Command.Condition.of(state), 1, at.lsn()));
        assertThat(state.released()).isTrue();
        on(new Event.StateApplied(state, 21));
    }

    private List<Action> on(Event event) {
        now += 1_000_000;
        return core.on(now, event);
    }

    private List<Action> ticks(int millis) {
        List<Action> actions = new ArrayList<>();
        for (int i = 0; i < millis; i += 10) {
            now += 9_000_000;
            actions.addAll(on(new Event.Tick(0)));
        }
        return actions;
    }

    private static List<SwitchoverReport> shown(List<Action> actions) {
        return actions.stream()
                .filter(Action.ShowSwitchover.class::isInstance)
                .map(a -> ((Action.ShowSwitchover) a).report())
                .toList();
    }
}
