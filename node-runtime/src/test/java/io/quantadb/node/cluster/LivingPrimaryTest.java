package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** n3 leads, n1 is primary: when n3 has another take over, and what it says while it does not. */
class LivingPrimaryTest {
    private static final Lsn END = new Lsn(5_000);
    private static final String DISK = "its disk leaves a flush unanswered";
    private static final String UNFIT = "the primary is unfit: " + DISK;
    private static final long WALL = 1_700_000_000_000L;

    private final Map<NodeId, LocalStatus> others = new HashMap<>();
    private static final long START = 1_000_000_000L;

    private long now = START;
    private ClusterState state = TestingStates.three();
    private ClusterCore core;

    @Test
    void theFirstMoveAwayFromALivingPrimaryIsMadeAtOnce() {
        // Given
        leads();

        // When
        others.put(N1, unfit(ServerState.PRIMARY));
        List<Action> actions = during(200);

        // Then
        assertThat(freezes(actions)).isTrue();
    }

    @Test
    void theNextForTheSameCauseWaitsAndItsTimeRunsFromTheMoveBefore() {
        // Given
        moved(WALL - 4_000, UNFIT);
        leads();
        others.put(N1, unfit(ServerState.PRIMARY));

        // When
        List<Action> early = during(5_000);
        String said = core.heldBack();
        List<Action> late = during(1_500);

        // Then
        assertThat(freezes(early)).isFalse();
        assertThat(said).contains(DISK).contains("moved for that once").contains("quantadb switchover");
        assertThat(freezes(late)).isTrue();
        assertThat(core.heldBack()).isEmpty();
    }

    @Test
    void aMoveForAnotherCauseDoesNotWait() {
        // Given
        moved(WALL - 1_000, "the primary is unfit: a commit did not wait for the voice");
        leads();

        // When
        others.put(N1, unfit(ServerState.PRIMARY));

        // Then
        assertThat(freezes(during(200))).isTrue();
    }

    @Test
    void aDeadPrimaryIsReplacedAtOnceHoweverOftenThatHappened() {
        // Given
        for (int i = 15; i > 0; i--) {
            moved(WALL - i * 1_000L, "the primary's PostgreSQL ended");
        }
        leads();

        // When
        others.put(N1, status(ServerState.DOWN, 0, true, ""));

        // Then
        assertThat(freezes(during(200))).isTrue();
    }

    @Test
    void aPrimaryWhoseServerEndedIsNoLivingOneThoughItsDiskIsToBlame() {
        // Given
        moved(WALL - 1_000, UNFIT);
        leads();

        // When
        others.put(N1, unfit(ServerState.DOWN));

        // Then
        assertThat(freezes(during(200))).isTrue();
    }

    @Test
    void aSwitchoverBeginsAMoveThatIsHeldBackAndEndsTheCount() {
        // Given
        moved(WALL - 1_000, UNFIT);
        leads();
        others.put(N1, unfit(ServerState.PRIMARY));
        during(200);

        // When
        List<Action> asked = on(new Event.AdminAsked(
                9, new AdminRequest.Switchover(new SwitchoverRequest(7, 1, N2, 30_000, 250, false))));

        // Then
        assertThat(asked).contains(new Action.AdminAnswer(9, Action.AdminVerdict.ACCEPTED, "n2"));
        assertThat(freezes(during(200))).as("it needs nothing of a hung disk").isTrue();
        moved(WALL, FailoverRecord.PLANNED);
        assertThat(MoveBackoff.moves(state, Cause.sort(UNFIT), WALL)).isZero();
    }

    @Test
    void waitsTwiceAsLongForEachFurtherMoveAndForgetsThemAfterHalfAnHour() {
        // Given
        moved(WALL - 31 * 60_000L, UNFIT);
        moved(WALL - 25 * 60_000L, UNFIT);
        moved(WALL, UNFIT);

        // Then
        assertThat(MoveBackoff.moves(state, Cause.sort(UNFIT), WALL)).isEqualTo(3);
        assertThat(MoveBackoff.moves(state, Cause.sort(UNFIT), WALL + 29 * 60_000L))
                .isEqualTo(3);
        assertThat(MoveBackoff.moves(state, Cause.sort(UNFIT), WALL + 31 * 60_000L))
                .isZero();
        assertThat(MoveBackoff.delayMillis(10_000, 1)).isEqualTo(10_000);
        assertThat(MoveBackoff.delayMillis(10_000, 3)).isEqualTo(40_000);
        assertThat(MoveBackoff.delayMillis(10_000, 15)).isEqualTo(300_000);
        assertThat(MoveBackoff.delayMillis(0, 15)).isZero();
    }

    @Test
    void nobodyIsChosenWhoseOwnDiskDoesNotAnswerAndThatIsSaid() {
        // Given
        others.put(N2, unfit(ServerState.STANDBY));
        leads();
        on(new Event.DiskHealth(DISK));

        // When
        others.put(N1, unfit(ServerState.PRIMARY));
        List<Action> sick = during(2_000);
        String said = core.heldBack();
        on(new Event.DiskHealth(""));
        List<Action> well = during(500);

        // Then
        assertThat(freezes(sick)).isFalse();
        assertThat(said).contains("n2 is unfit: " + DISK).contains("n3 is unfit: " + DISK);
        assertThat(freezes(well)).isTrue();
    }

    @Test
    void aServerThatDoesNotAnswerMakesAPrimaryUnfitAndNoStandby() {
        // Given
        String still = "its PostgreSQL stands still";
        leads();

        // When
        on(new Event.ServerHealth(still));
        LocalStatus standby = core.status();
        on(new Event.ServerPrimaryReady(1, 1, Lsn.NONE, END));
        LocalStatus primary = core.status();
        on(new Event.ServerHealth(""));

        // Then
        assertThat(standby.fit()).isTrue();
        assertThat(primary.fit()).isFalse();
        assertThat(primary.reason()).isEqualTo(still);
        assertThat(core.status().fit()).isTrue();
    }

    @Test
    void aLivingPrimaryStaysInMaintenanceAndMovesWhenThatIsOver() {
        // Given
        Settings s = state.settings();
        state = new Draft(state)
                .settings(new Settings(
                        s.mode(),
                        s.policy(),
                        s.shrinkAfterMillis(),
                        s.heartbeatMillis(),
                        s.electionTimeoutMinMillis(),
                        s.electionTimeoutMaxMillis(),
                        s.leaseMillis(),
                        WALL + 5_000,
                        s.tuning(),
                        s.minorityReads()))
                .done();
        leads();

        // When
        others.put(N1, unfit(ServerState.PRIMARY));
        List<Action> meanwhile = during(3_000);
        String said = core.heldBack();

        // Then
        assertThat(freezes(meanwhile)).isFalse();
        assertThat(said).contains(UNFIT).contains("in maintenance");
        assertThat(freezes(during(3_000))).isTrue();
    }

    @Test
    void staysInTheRegionOfThePrimaryWhereTheOperatorWantsThatAndSaysSo() {
        // Given
        place(N1, "eu/a");
        place(N2, "us/a");
        place(N3, "us/b");
        Settings s = state.settings();
        state = new Draft(state)
                .settings(s.withTuning(s.tuning().withAcrossRegions(false)))
                .done();
        leads();

        // When
        others.put(N1, status(ServerState.DOWN, 0, true, ""));
        List<Action> apart = during(2_000);
        String said = core.heldBack();
        place(N2, "eu/b");
        on(new Event.StateApplied(state, 11));
        List<Action> near = during(500);

        // Then
        assertThat(freezes(apart)).isFalse();
        assertThat(said).contains("n2 stands in region 'us', and failovers stay in region 'eu'");
        assertThat(freezes(near)).isTrue();
        assertThat(SwitchoverChecks.objection(state, reports(), N3, Long.MAX_VALUE))
                .isNull();
        assertThat(SwitchoverChecks.choose(state, reports(), null).heir()).isEqualTo(N2);
        assertThat(Candidates.objection(new ProtocolRules(), state, N3, others.get(N2)))
                .isNotNull();
        assertThat(Candidates.objection(new ProtocolRules(), state, N2, others.get(N2)))
                .isNull();
    }

    @Test
    void ofNodesOfOnePriorityTheOneInThePrimarysZoneIsChosen() {
        // Given
        Position at = new Position(1, END);
        var answer = new CoordMessage.FreezeReply(2, 2, 1, at, END);
        Map<NodeId, CoordMessage.FreezeReply> answers = Map.of(N2, answer, N3, answer);
        place(N1, "a");
        place(N2, "b");
        place(N3, "a");

        // When
        NodeId heir = SwitchoverChecks.choose(state, reports(), null).heir();
        NodeId chosen = Candidates.choose(
                new ProtocolRules(), state, answers, n -> status(ServerState.STANDBY, 1, true, ""), at, N1);
        Member n2 = state.members().get(N2);
        state = new Draft(state)
                .member(n2.withAddresses(n2.addresses(), "b", 101))
                .done();
        NodeId preferred = SwitchoverChecks.choose(state, reports(), null).heir();

        // Then
        assertThat(heir).isEqualTo(N3);
        assertThat(chosen).isEqualTo(N3);
        assertThat(preferred).as("priority comes first").isEqualTo(N2);
    }

    /** As a leader has them of a primary that lives and two that stream. */
    private Reports reports() {
        Context ctx = new Context(TestingStates.peer(N1), new ProtocolRules(), 1, 0, now);
        ctx.state = state;
        Reports reports = new Reports(ctx);
        reports.keep(N1, status(ServerState.PRIMARY, 0, true, ""));
        reports.keep(N2, status(ServerState.STANDBY, 1, true, ""));
        reports.keep(N3, status(ServerState.STANDBY, 1, true, ""));
        return reports;
    }

    // ---- playing it

    private void leads() {
        core = new ClusterCore(
                new ClusterCore.Start(TestingStates.peer(N3), 1, 0, ServerState.DOWN, new Position(1, END), 1), now);
        on(new Event.StateApplied(state, 10));
        on(new Event.RaftChanged(true, 2, N3, true, false));
        on(new Event.LeaderLease(now + 600_000_000_000L));
        on(new Event.ServerChanged(ServerState.STANDBY, 1));
        others.putIfAbsent(N1, status(ServerState.PRIMARY, 0, true, ""));
        others.putIfAbsent(N2, status(ServerState.STANDBY, 1, true, ""));
        assertThat(freezes(during(200))).isFalse();
    }

    private void moved(long whenMillis, String reason) {
        Draft draft = new Draft(state);
        List<FailoverRecord> moves = new ArrayList<>(state.failovers());
        moves.add(new FailoverRecord(whenMillis, N2, N1, 1, reason));
        draft.failovers = moves;
        state = draft.done();
    }

    private void place(NodeId node, String zone) {
        Member m = state.members().get(node);
        state = new Draft(state)
                .member(m.withAddresses(m.addresses(), zone, m.priority()))
                .done();
    }

    private LocalStatus unfit(ServerState server) {
        return status(server, server == ServerState.STANDBY ? 1 : 0, false, DISK);
    }

    private LocalStatus status(ServerState server, long streamingEpoch, boolean fit, String reason) {
        Position end = server == ServerState.DOWN ? new Position(1, END) : null;
        boolean ran = server != ServerState.STANDBY;
        return new LocalStatus(
                1, 0, 10, state.version(), state.epoch(), server, 1, ran, end, END, streamingEpoch, END, fit, reason);
    }

    /** Time passes, the others report and answer probes. */
    private List<Action> during(int millis) {
        List<Action> actions = new ArrayList<>();
        for (int i = 0; i < millis; i += 20) {
            now += 20_000_000;
            List<Action> step = new ArrayList<>(on(new Event.Tick(WALL + (now - START) / 1_000_000)));
            for (NodeId node : List.of(N1, N2)) {
                on(new Event.Heard(node));
                step.addAll(on(new Event.Received(node, new CoordMessage.Report(2, 11, others.get(node)))));
            }
            for (Action a : List.copyOf(step)) {
                if (a instanceof Action.Send(NodeId to, CoordMessage.Probe(long term, long round))
                        && others.containsKey(to)) {
                    step.addAll(on(new Event.Received(to, new CoordMessage.ProbeReply(term, round, others.get(to)))));
                }
            }
            actions.addAll(step);
        }
        return Collections.unmodifiableList(actions);
    }

    private List<Action> on(Event event) {
        now += 1_000;
        return core.on(now, event);
    }

    private static boolean freezes(List<Action> actions) {
        return actions.stream().anyMatch(a -> a instanceof Action.Send s && s.message() instanceof CoordMessage.Freeze);
    }
}
