package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** n3 leads and follows, n1 was primary in mode async and is silent; n2 is what each test makes of it. */
class AsyncFailoverTest {
    private static final Lsn END = new Lsn(5_000);
    private static final Lsn WRITTEN = new Lsn(9_000);
    private static final NodeId N4 = new NodeId("n4");
    private static final long WALL = 1_700_000_000_000L;

    private final Map<NodeId, LocalStatus> live = new HashMap<>();
    private final Map<NodeId, Position> frozen = new HashMap<>();
    private final List<String> said = new ArrayList<>();
    private long now = 1_000_000_000L;
    private ClusterState state = TestingStates.three();
    private ClusterCore core;

    @BeforeEach
    void asyncAndWell() {
        Settings s = state.settings();
        state = new Draft(state)
                .settings(new Settings(
                        Settings.Mode.ASYNC,
                        s.policy(),
                        s.shrinkAfterMillis(),
                        s.heartbeatMillis(),
                        s.electionTimeoutMinMillis(),
                        s.electionTimeoutMaxMillis(),
                        s.leaseMillis(),
                        0,
                        s.tuning(),
                        s.minorityReads()))
                .rule(Rule.ALONE)
                .done();
        core = new ClusterCore(
                new ClusterCore.Start(TestingStates.peer(N3), 1, 0, ServerState.DOWN, new Position(1, END), 1), now);
        live.put(N1, status(ServerState.PRIMARY, WRITTEN));
        live.put(N2, status(ServerState.STANDBY, END));
        frozen.put(N2, new Position(1, END));
    }

    private void leads() {
        on(new Event.StateApplied(state, 10));
        on(new Event.RaftChanged(true, 2, N3, true, false));
        on(new Event.LeaderLease(now + 600_000_000_000L));
        on(new Event.ServerChanged(ServerState.STANDBY, 1));
        assertThat(promotedDuring(300)).isEmpty();
    }

    private void primaryDies() {
        live.remove(N1);
    }

    @Test
    void promotesTheFurthestAheadOfAllWhoHoldDataAndSaysWhatIsLost() {
        // Given
        leads();

        // When
        primaryDies();
        List<Command.Promote> promoted = promotedDuring(3_000);

        // Then
        assertThat(promoted).isNotEmpty();
        assertThat(promoted.getFirst().kind()).isEqualTo(Command.PromoteKind.ASYNC);
        assertThat(said)
                .contains(
                        "mode async: what n1 acknowledged beyond 0/1388 of timeline 1 is lost; it was known to have written 4000 bytes more");
    }

    /** It copies from the primary that is gone, and would never answer. */
    @Test
    void doesNotWaitForAVoterThatIsBeingCopiedAnew() {
        // Given
        live.put(N2, status(ServerState.EMPTY, Lsn.NONE));
        frozen.remove(N2);
        leads();

        // When
        primaryDies();

        // Then
        assertThat(promotedDuring(3_000)).extracting(Command.Promote::node).contains(N3);
    }

    @Test
    void doesNotWaitForOneThatIsStillJoining() {
        // Given
        state = new Draft(state)
                .member(new Member(
                        TestingStates.peer(N4),
                        1,
                        MemberKind.DATA,
                        MemberState.LEARNER,
                        TestingStates.member(N2).addresses(),
                        "",
                        100,
                        false))
                .done();
        live.put(N4, status(ServerState.STANDBY, END));
        leads();

        // When
        primaryDies();

        // Then
        assertThat(promotedDuring(3_000)).isNotEmpty();
    }

    @Test
    void waitsNoLongerThanABoundForOneThatDoesNotAnswerAnyMore() {
        // Given: n2 answers that it would, and dies
        leads();
        frozen.remove(N2);

        // When
        primaryDies();
        List<Command.Promote> soon = promotedDuring(900);
        List<Command.Promote> later = promotedDuring(2_500);

        // Then
        assertThat(soon).isEmpty();
        assertThat(later).extracting(Command.Promote::node).contains(N3);
    }

    // ---- playing it

    private LocalStatus status(ServerState server, Lsn flushed) {
        boolean primary = server == ServerState.PRIMARY;
        return new LocalStatus(
                1,
                0,
                10,
                state.version(),
                state.epoch(),
                server,
                1,
                primary,
                null,
                flushed,
                primary ? 0 : 1,
                flushed,
                true,
                "");
    }

    /** Time passes; who lives reports and answers, n3 among them. */
    private List<Command.Promote> promotedDuring(int millis) {
        List<Command.Promote> promoted = new ArrayList<>();
        for (int i = 0; i < millis; i += 20) {
            now += 20_000_000;
            List<Action> step = new ArrayList<>(on(new Event.Tick(WALL)));
            live.forEach((node, status) -> {
                step.addAll(on(new Event.Heard(node)));
                step.addAll(on(new Event.Received(node, new CoordMessage.Report(2, 11, status))));
            });
            for (int a = 0; a < step.size(); a++) {
                step.addAll(answer(step.get(a)));
            }
            step.stream()
                    .filter(Action.Propose.class::isInstance)
                    .map(a -> ((Action.Propose) a).command())
                    .filter(Command.Promote.class::isInstance)
                    .map(Command.Promote.class::cast)
                    .forEach(promoted::add);
            step.stream()
                    .filter(Action.Tell.class::isInstance)
                    .map(a -> ((Action.Tell) a).what())
                    .forEach(said::add);
        }
        return promoted;
    }

    private List<Action> answer(Action action) {
        return switch (action) {
            case Action.Send(NodeId to, CoordMessage.Probe(long term, long round))
            when live.containsKey(to) ->
                on(new Event.Received(to, new CoordMessage.ProbeReply(term, round, statusOf(to))));
            case Action.Send(NodeId to, CoordMessage.Freeze(long term, long epoch))
            when live.containsKey(to) -> {
                Position end = frozen.get(to);
                yield on(new Event.Received(
                        to, new CoordMessage.FreezeReply(term, epoch, 1, end, end == null ? Lsn.NONE : end.lsn())));
            }
            case Action.PersistPromise(long epoch) -> on(new Event.PromisePersisted(epoch));
            case Action.CloseStreamsBelow(long epoch) -> on(new Event.StreamsClosedBelow(epoch));
            case Action.ReadPosition(long id) -> on(new Event.PositionRead(id, new Position(1, END)));
            default -> List.of();
        };
    }

    private LocalStatus statusOf(NodeId node) {
        LocalStatus status = live.get(node);
        return status == null ? status(ServerState.DOWN, Lsn.NONE) : status;
    }

    private List<Action> on(Event event) {
        now += 1_000;
        return core.on(now, event);
    }
}
