package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static io.quantadb.node.cluster.TestingStates.after;
import static io.quantadb.node.cluster.TestingStates.peer;
import static io.quantadb.node.cluster.TestingStates.rule;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** n2, a standby of three, and what becomes of its server while it is fenced. */
class FencedServerTest {
    private static final Position END = new Position(1, new Lsn(5_000));

    private long now = 1_000_000_000L;
    private long index = 10;
    private ClusterState state = TestingStates.three();
    private final ClusterCore core =
            new ClusterCore(new ClusterCore.Start(peer(N2), 1, 0, ServerState.DOWN, END, 1), now);

    FencedServerTest() {
        apply(state);
        on(new Event.RaftChanged(false, 2, N1, false, false));
        on(new Event.ServerChanged(ServerState.STANDBY, 1));
        on(new Event.StreamsClosedBelow(1));
        ticks();
    }

    private List<Action> on(Event event) {
        now += 3_000_000;
        return core.on(now, event);
    }

    private List<Action> apply(ClusterState next) {
        state = next;
        List<Action> actions = new ArrayList<>(on(new Event.StateApplied(next, ++index)));
        actions.addAll(ticks());
        return actions;
    }

    private List<Action> ticks() {
        List<Action> actions = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            actions.addAll(on(new Event.Tick(0)));
        }
        return actions;
    }

    private void withoutN2InTheRule() {
        state = after(state, new Command.Joint(Command.Condition.of(state), rule(1, N3)));
        state = after(state, new Command.Finish(Command.Condition.of(state)));
    }

    @Test
    void goesOnWhileTheRuleNamesItAndStopsInOrderOnceItDoesNot() {
        // When
        List<Action> named = apply(after(state, new Command.SetFence(peer(N2), Fence.SHUT)));
        withoutN2InTheRule();
        List<Action> spared = apply(state);

        // Then
        assertThat(named).doesNotHaveAnyElementsOfTypes(Action.StopServer.class);
        assertThat(core.status().fit()).isFalse();
        assertThat(core.status().reason()).isEqualTo("fenced by an operator");
        assertThat(spared).containsOnlyOnce(new Action.StopServer(false));
    }

    @Test
    void staysDownUntilItIsLetFreeAndThenFollowsAgain() {
        // Given
        withoutN2InTheRule();
        apply(after(state, new Command.SetFence(peer(N2), Fence.SHUT)));
        List<Action> down = new ArrayList<>(on(new Event.ServerChanged(ServerState.DOWN, 1)));
        down.addAll(ticks());

        // When
        List<Action> free = apply(after(state, new Command.SetFence(peer(N2), Fence.NONE)));
        Action.ReadPosition read = free.stream()
                .filter(Action.ReadPosition.class::isInstance)
                .map(Action.ReadPosition.class::cast)
                .findFirst()
                .orElseThrow();
        List<Action> told = on(new Event.PositionRead(read.requestId(), END));

        // Then
        assertThat(down).doesNotHaveAnyElementsOfTypes(Action.StartStandby.class, Action.Clone.class);
        assertThat(told).contains(new Action.StartStandby());
    }

    @Test
    void stopsWhoeverWaitsForItWhenForced() {
        // When
        List<Action> actions = apply(after(state, new Command.SetFence(peer(N2), Fence.STOPPED)));

        // Then
        assertThat(actions).containsOnlyOnce(new Action.StopServer(false));
    }

    /** A candidate may have to fetch from it what nobody else has. */
    @Test
    void goesOnWhileItIsFrozenThoughNoRuleNamesIt() {
        // Given
        withoutN2InTheRule();
        apply(state);
        on(new Event.Received(N1, new CoordMessage.Freeze(2, 2)));
        on(new Event.PromisePersisted(2));

        // When
        List<Action> actions = apply(after(state, new Command.SetFence(peer(N2), Fence.SHUT)));

        // Then
        assertThat(actions).doesNotHaveAnyElementsOfTypes(Action.StopServer.class);
    }

    @Test
    void isRestartedOnceForEachOrderAndNotForALateOne() {
        // Given
        var order = new CoordMessage.RestartServer(2, 1, 7);

        // When
        List<Action> first = on(new Event.Received(N1, order));
        on(new Event.ServerChanged(ServerState.DOWN, 1));
        on(new Event.ServerChanged(ServerState.STANDBY, 1));
        List<Action> again = on(new Event.Received(N1, order));
        List<Action> late = on(new Event.Received(N1, new CoordMessage.RestartServer(1, 1, 8)));

        // Then
        assertThat(first).contains(new Action.StopServer(false));
        assertThat(again).doesNotHaveAnyElementsOfTypes(Action.StopServer.class);
        assertThat(late).doesNotHaveAnyElementsOfTypes(Action.StopServer.class);
    }
}
