package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the leader, n1, whose release is two versions ahead of the cluster's, does about the version. */
class VersionKeeperTest {
    private static final int V = ClusterVersion.NEWEST;
    private static final long SECOND = 1_000_000_000L;
    private static final PeerId N1 = TestingStates.peer(TestingStates.N1);
    private static final PeerId N2 = TestingStates.peer(TestingStates.N2);
    private static final PeerId N3 = TestingStates.peer(TestingStates.N3);

    private Context ctx;
    private VersionKeeper keeper;

    @BeforeEach
    void threeMembers() {
        ctx = new Context(N1, new ProtocolRules(), V + 2, 1, 0, SECOND);
        ctx.state = TestingStates.three();
        ctx.term = 2;
        keeper = new VersionKeeper(ctx);
    }

    private void says(PeerId peer, int version) {
        keeper.onReads(peer.node(), new CoordMessage.Reads(2, peer.incarnation(), version));
    }

    private List<Command> proposed() {
        keeper.onTick();
        return ctx.drain().stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .toList();
    }

    @Test
    void raisesItToWhatTheOldestReleaseReadsOnceEveryMemberHasSaidSo() {
        // When
        List<Command> alone = proposed();
        says(N2, V + 1);
        List<Command> two = proposed();
        says(N3, V + 2);
        List<Command> all = proposed();
        List<Command> again = proposed();

        // Then
        assertThat(alone).isEmpty();
        assertThat(two).isEmpty();
        assertThat(all).containsExactly(new Command.SetClusterVersion(V + 1, Set.of(N1, N2, N3)));
        assertThat(again).isEmpty();
    }

    /** A proposal that is refused at once must not be made again in the same breath. */
    @Test
    void whatFailedIsTriedAgainASecondLater() {
        // Given
        says(N2, V + 1);
        says(N3, V + 1);
        List<Command> first = proposed();

        // When
        first.forEach(keeper::onFailed);
        List<Command> atOnce = proposed();
        ctx.now += SECOND;
        List<Command> later = proposed();

        // Then
        assertThat(first).hasSize(1);
        assertThat(atOnce).isEmpty();
        assertThat(later).isEqualTo(first);
    }

    /** It was applied while n4 was a member, and changed nothing: that must not stand in its way for ever. */
    @Test
    void whatWasOvertakenByANewMemberIsMadeAgainOnceThatHasLeft() {
        // Given
        says(N2, V + 1);
        says(N3, V + 1);
        ClusterState before = ctx.state;
        List<Command> first = proposed();
        ctx.state =
                new Draft(before).member(TestingStates.member(new NodeId("n4"))).done();
        List<Command> withFour = proposed();
        int needed = keeper.needed();

        // When
        ctx.state = before;
        ctx.now += SECOND;
        List<Command> again = proposed();

        // Then
        assertThat(withFour).isEmpty();
        assertThat(needed).isEqualTo(V);
        assertThat(again).isEqualTo(first);
    }

    @Test
    void whatWasSaidLongAgoOrByAnotherLifeCountsForNothing() {
        // When
        says(N2, V + 1);
        ctx.now += 6 * SECOND;
        says(N3, V + 1);
        List<Command> old = proposed();
        says(new PeerId(N2.node(), N2.incarnation() + 1), V + 1);
        List<Command> another = proposed();

        // Then
        assertThat(old).isEmpty();
        assertThat(another).isEmpty();
    }

    @Test
    void whoeverIsLetInMeanwhileMustReadIt() {
        // When
        int before = keeper.needed();
        says(N2, V + 1);
        says(N3, V + 1);
        List<Command> raise = proposed();
        int meanwhile = keeper.needed();
        raise.forEach(keeper::onFailed);

        // Then
        assertThat(before).isEqualTo(V);
        assertThat(meanwhile).isEqualTo(V + 1);
        assertThat(keeper.needed()).isEqualTo(V);
    }

    @Test
    void changesNothingForOtherMembersAndNeverFalls() {
        // Given
        Transitions transitions = new Transitions(new ProtocolRules());

        // When
        var forTwo = transitions.apply(ctx.state, new Command.SetClusterVersion(V + 1, Set.of(N1, N2)));
        var forOthers = transitions.apply(
                ctx.state, new Command.SetClusterVersion(V + 1, Set.of(N1, N2, new PeerId(new NodeId("n9"), 1))));
        var forAll = transitions.apply(ctx.state, new Command.SetClusterVersion(V + 1, Set.of(N1, N2, N3)));
        var back = transitions.apply(forAll.state(), new Command.SetClusterVersion(V, Set.of(N1, N2, N3)));

        // Then
        assertThat(forTwo.refused()).isEqualTo("the members are others than those who said that they read it");
        assertThat(forOthers.refused()).isEqualTo(forTwo.refused());
        assertThat(forAll.state().clusterVersion()).isEqualTo(V + 1);
        assertThat(back.refused()).isEqualTo("the cluster is at version %d".formatted(V + 1));
    }

    /** The leader hears it where something could be raised, and nothing where there is nothing to raise. */
    @Test
    void aMemberSaysWhatItReadsOnceASecondWhileThatIsMore() {
        // Given
        var later = new ClusterCore(
                new ClusterCore.Start(N2, 1, 0, ServerState.DOWN, null, 1, V + 1), SECOND, new ProtocolRules());
        var same = new ClusterCore(
                new ClusterCore.Start(N2, 1, 0, ServerState.DOWN, null, 1), SECOND, new ProtocolRules());

        // When, then
        assertThat(saidInThreeSeconds(later))
                .hasSize(3)
                .containsOnly(new CoordMessage.Reads(2, N2.incarnation(), V + 1));
        assertThat(saidInThreeSeconds(same)).isEmpty();
    }

    private List<CoordMessage> saidInThreeSeconds(ClusterCore core) {
        var _ = core.on(SECOND, new Event.StateApplied(ctx.state, 1));
        List<Action> actions =
                new ArrayList<>(core.on(SECOND, new Event.RaftChanged(false, 2, N1.node(), false, false)));
        for (int i = 1; i < 30; i++) {
            actions.addAll(core.on(SECOND + i * SECOND / 10, new Event.Tick(0)));
        }
        return actions.stream()
                .filter(Action.Send.class::isInstance)
                .map(a -> ((Action.Send) a).message())
                .filter(CoordMessage.Reads.class::isInstance)
                .toList();
    }
}
