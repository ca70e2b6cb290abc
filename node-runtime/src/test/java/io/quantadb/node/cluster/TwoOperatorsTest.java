package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.Action.AdminVerdict;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Two operators ask n1, which leads and serves, for things of which each may be granted and not both, the second before
 * the state shows the first.
 */
class TwoOperatorsTest {
    private static final Lsn END = new Lsn(5_000);
    private static final AdminRequest ALL =
            new AdminRequest.ChangeMode(Settings.Mode.ALL, Settings.Policy.BLOCK, Settings.SHRINK_AFTER_MILLIS);
    private static final AdminRequest PAUSE = new AdminRequest.Pause(Settings.UNTIL_ENDED);
    private static final AdminRequest MOVE =
            new AdminRequest.Switchover(new SwitchoverRequest(77, 1, N2, 5_000, 100, false));

    private long now = 1_000_000_000L;
    private ClusterState state = TestingStates.three();
    private ClusterCore core;
    private List<Command> proposed = List.of();

    @BeforeEach
    void threeThatAreWell() {
        core = new ClusterCore(
                new ClusterCore.Start(
                        TestingStates.peer(N1), 1, 0, ServerState.DOWN, new Position(1, new Lsn(1_000)), 1),
                now);
        on(new Event.StateApplied(state, 10));
        on(new Event.RaftMembership(
                new TreeSet<>(List.of(TestingStates.peer(N1), TestingStates.peer(N2), TestingStates.peer(N3))),
                new TreeSet<>()));
        on(new Event.RaftChanged(true, 2, N1, true, false));
        on(new Event.LeaderLease(now + 60_000_000_000L));
        on(new Event.ServerChanged(ServerState.PRIMARY, 1));
        on(new Event.ServerPrimaryReady(1, 0, Lsn.NONE, new Lsn(1_000)));
        on(new Event.VoiceOpened());
        on(new Event.ProbeCommitWaited(1));
        on(new Event.PermitObeyed(1, state.version()));
        on(new Event.MemberProgress(new MemberRef(N3, 1), 1, END, END));
        on(new Event.VoiceReported(END));
        ticks(60);
    }

    @Test
    void whatOneSetIsNotUndoneByWhatTheOtherSets() {
        // Given
        Action.AdminAnswer first = ask(ALL);
        List<Command> mode = proposed;
        Action.AdminAnswer tooSoon = ask(PAUSE);
        List<Command> nothing = proposed;
        apply(mode.getFirst());

        // When
        Action.AdminAnswer second = ask(PAUSE);
        apply(proposed.getFirst());

        // Then
        assertThat(first.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
        assertThat(tooSoon.verdict()).isEqualTo(AdminVerdict.NOT_NOW);
        assertThat(nothing).isEmpty();
        assertThat(second.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
        assertThat(state.settings().mode()).isEqualTo(Settings.Mode.ALL);
        assertThat(state.settings().pausedUntilMillis()).isEqualTo(Settings.UNTIL_ENDED);
    }

    @Test
    void ofOneMembersPlaceThePriorityIsNotUndoneByTheZone() {
        // Given
        Action.AdminAnswer first = ask(new AdminRequest.SetPlacement(N2, 7, null, false, false));
        List<Command> priority = proposed;
        Action.AdminAnswer tooSoon = ask(new AdminRequest.SetPlacement(N2, null, "b", false, false));
        apply(priority.getFirst());

        // When
        Action.AdminAnswer second = ask(new AdminRequest.SetPlacement(N2, null, "b", false, false));
        apply(proposed.getFirst());

        // Then
        assertThat(first.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
        assertThat(tooSoon.verdict()).isEqualTo(AdminVerdict.NOT_NOW);
        assertThat(second.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
        assertThat(state.members().get(N2)).returns(new Placement(7, "b"), m -> m == null ? null : m.set());
    }

    @Test
    void aChangeThatWasLostStandsInNobodysWay() {
        // Given
        ask(ALL);
        on(new Event.ProposalFailed(proposed.getFirst()));

        // When
        Action.AdminAnswer afterIt = ask(PAUSE);
        ticks(5_100);
        Action.AdminAnswer afterOneThatIsNeverHeardOf = ask(new AdminRequest.Pause(0));

        // Then
        assertThat(afterIt.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
        assertThat(afterOneThatIsNeverHeardOf.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
    }

    @Test
    void ofTwoMembersOneLeavesAtATime() {
        // Given
        Action.AdminAnswer first = ask(new AdminRequest.RemoveMember(N3, true));

        // When
        Action.AdminAnswer second = ask(new AdminRequest.RemoveMember(N2, true));

        // Then
        assertThat(first.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
        assertThat(second.verdict()).isEqualTo(AdminVerdict.NOT_NOW);
        assertThat(proposed).isEmpty();
    }

    @Test
    void whoIsToBeCopiedAnewIsNoHeirAndNobodyLeavesMeanwhile() {
        // Given
        Action.AdminAnswer copy = ask(new AdminRequest.Resync(N2, false));

        // When
        Action.AdminAnswer move = ask(MOVE);
        Action.AdminAnswer remove = ask(new AdminRequest.RemoveMember(N3, true));

        // Then
        assertThat(copy.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
        assertThat(move).isEqualTo(new Action.AdminAnswer(9, AdminVerdict.NOT_NOW, "n2 is about to be copied anew"));
        assertThat(remove).isEqualTo(new Action.AdminAnswer(9, AdminVerdict.NOT_NOW, "n2 is about to be copied anew"));
    }

    @Test
    void aPrimaryThatLeavesDoesNotWaitForACopy() {
        // Given
        ask(new AdminRequest.Resync(N2, false));

        // When
        Action.AdminAnswer move =
                ask(new AdminRequest.Switchover(new SwitchoverRequest(77, 1, null, 5_000, 100, true)));

        // Then
        assertThat(move.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
    }

    @Test
    void whileThePrimaryMovesNobodyIsCopiedAnew() {
        // Given
        Action.AdminAnswer move = ask(MOVE);

        // When
        Action.AdminAnswer copy = ask(new AdminRequest.Resync(N2, false));

        // Then
        assertThat(move.verdict()).isEqualTo(AdminVerdict.ACCEPTED);
        assertThat(copy).isEqualTo(new Action.AdminAnswer(9, AdminVerdict.NOT_NOW, "the primary is being moved"));
    }

    // ---- playing it

    private Action.AdminAnswer ask(AdminRequest request) {
        List<Action> actions = on(new Event.AdminAsked(9, request));
        proposed = actions.stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .filter(c -> c instanceof Command.ChangeSettings
                        || c instanceof Command.SetMemberState
                        || c instanceof Command.SetPlacement)
                .toList();
        return actions.stream()
                .filter(Action.AdminAnswer.class::isInstance)
                .map(Action.AdminAnswer.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private void apply(Command command) {
        state = TestingStates.after(state, command);
        on(new Event.StateApplied(state, 20));
    }

    private List<Action> on(Event event) {
        now += 1_000_000;
        return core.on(now, event);
    }

    /** Only time passes, and what the others report. */
    private void ticks(int millis) {
        for (int i = 0; i < millis; i += 10) {
            now += 7_000_000;
            on(new Event.Tick(0));
            for (NodeId node : List.of(N2, N3)) {
                on(new Event.Received(node, new CoordMessage.Report(2, 11, standby())));
            }
        }
    }

    private LocalStatus standby() {
        return new LocalStatus(
                1,
                0,
                10,
                state.version(),
                state.epoch(),
                ServerState.STANDBY,
                1,
                false,
                null,
                END,
                state.epoch(),
                END,
                true,
                "");
    }
}
