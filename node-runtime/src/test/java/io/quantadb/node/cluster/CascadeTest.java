package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** n4 and n5 are read replicas of three data voters, n1 the primary; n4 is to stream from n2. */
class CascadeTest {
    private static final NodeId N4 = new NodeId("n4");
    private static final NodeId N5 = new NodeId("n5");
    private static final Position START = new Position(1, new Lsn(1_000));
    private static final long HOLD_MS = UpstreamChoice.HOLD_NANOS / Context.MILLIS;

    private long now = 1_000_000_000L;
    private long reading;
    private CoordMessage.@Nullable Follows said;

    // ---- who may

    @Test
    void onlyAReadReplicaIsFedAndOnlyByOneThatStreamsFromThePrimaryItself() {
        // Given
        ClusterState s = state(N2);

        // Then
        assertThat(why(s, N4, N3)).isNull();
        assertThat(why(s, N4, null)).isNull();
        assertThat(why(s, N5, N2)).isNull();
        assertThat(why(s, N2, N3)).contains("n2 is a data node").contains("only a read replica");
        assertThat(why(s, N4, N4)).contains("itself");
        assertThat(why(s, N4, new NodeId("n9"))).contains("no member is called n9");
        assertThat(why(s, N5, N4)).contains("n4 is itself fed by n2");
        assertThat(why(new Draft(s).member(changed(s, N5, N4)).done(), N4, N3)).contains("n4 feeds n5");
        assertThat(why(
                        TestingStates.after(s, new Command.SetMemberState(TestingStates.peer(N3), MemberState.LEAVING)),
                        N5,
                        N3))
                .contains("n3 is being removed");
    }

    @Test
    void theStateRefusesWhatWasDecidedUponAnOlderOne() {
        // Given: both were asked for at the same time
        ClusterState s = state(null);
        Command first = new Command.SetUpstream(TestingStates.peer(N4), N5);
        Command second = new Command.SetUpstream(TestingStates.peer(N5), N4);

        // When
        ClusterState both = TestingStates.after(TestingStates.after(s, first), second);
        ClusterState voter = TestingStates.after(s, new Command.SetUpstream(TestingStates.peer(N2), N3));

        // Then
        assertThat(upstream(both, N4)).isEqualTo(N5);
        assertThat(upstream(both, N5)).isNull();
        assertThat(voter).isEqualTo(s);
    }

    @Test
    void aMemberTakenOutFeedsNobodyAnyMoreAndOneWhoseDiskIsReplacedDoes() {
        // Given
        ClusterState s = state(N5);
        Command out = new Command.RemoveMember(TestingStates.peer(N5));

        // When
        ClusterState replaced = TestingStates.after(s, out);
        ClusterState removed = TestingStates.after(
                TestingStates.after(s, new Command.SetMemberState(TestingStates.peer(N5), MemberState.LEAVING)), out);

        // Then
        assertThat(replaced.member(N5)).isNull();
        assertThat(upstream(replaced, N4)).isEqualTo(N5);
        assertThat(removed.member(N5)).isNull();
        assertThat(upstream(removed, N4)).isNull();
    }

    @Test
    void oneThatJoinsWithAnImpossibleWishStreamsFromThePrimary() {
        // Given
        ClusterState s = state(N2);
        Member wishes = replica(new NodeId("n6")).withUpstream(N4);

        // When
        ClusterState joined = TestingStates.after(s, new Command.AddMember(wishes));
        ClusterState well = TestingStates.after(s, new Command.AddMember(wishes.withUpstream(N3)));

        // Then
        assertThat(upstream(joined, new NodeId("n6"))).isNull();
        assertThat(upstream(well, new NodeId("n6"))).isEqualTo(N3);
    }

    // ---- from whom

    @Test
    void goesToItsUpstreamOnceThatHasFedForTheHoldOffAndItsOwnWalIsCompared() {
        // Given: it streams from the primary
        ClusterCore core = replica();

        // When
        List<Action> soon = during(core, HOLD_MS - 100, follows(1, 1_000));
        List<Action> late = during(core, 200, follows(1, 1_000));
        List<Action> compared = on(core, new Event.PositionRead(reading, new Position(1, new Lsn(2_000))));
        List<Action> behind = during(core, 300, follows(1, 1_999));
        List<Action> there = during(core, 50, follows(1, 2_000));

        // Then
        assertThat(soon).doesNotHaveAnyElementsOfTypes(Action.StopFollowing.class);
        assertThat(late).contains(new Action.StopFollowing()).hasAtLeastOneElementOfType(Action.ReadPosition.class);
        assertThat(targets(compared)).isEmpty();
        assertThat(targets(behind)).isEmpty();
        assertThat(targets(there)).containsExactly(N2);
    }

    @Test
    void goesToThePrimaryAtOnceWhenItsUpstreamBreaksOffAndBackAfterALongerWhile() {
        // Given
        ClusterCore core = fed();

        // When
        List<Action> broken = on(core, new Event.StreamClosed(N2, 1, "connection reset"));
        List<Action> primary = on(core, new Event.PositionRead(reading, START));
        on(core, new Event.StreamOpened(N1, 1, 1, START.lsn()));
        List<Action> soon = during(core, 2 * HOLD_MS - 200, follows(1, 1_000));
        List<Action> late = during(core, 400, follows(1, 1_000));
        List<Action> back = on(core, new Event.PositionRead(reading, START));

        // Then
        assertThat(broken).contains(new Action.StopFollowing());
        assertThat(targets(primary)).containsExactly(N1);
        assertThat(soon).doesNotHaveAnyElementsOfTypes(Action.StopFollowing.class);
        assertThat(late).contains(new Action.StopFollowing());
        assertThat(targets(back)).containsExactly(N2);
    }

    @Test
    void goesToThePrimaryWhenItsUpstreamFeedsNoMoreOrIsSilent() {
        // Given
        ClusterCore stopped = fed();

        // When
        List<Action> feedsNot = on(stopped, follows(0, 1_000));
        feedsNot = concat(feedsNot, on(stopped, new Event.PositionRead(reading, START)));

        // Then
        assertThat(feedsNot).contains(new Action.StopFollowing());
        assertThat(targets(feedsNot)).containsExactly(N1);

        // And when
        ClusterCore silent = fed();
        said = null;
        List<Action> quiet = during(silent, 3_200, new Event.Tick(0));

        // Then
        assertThat(quiet).contains(new Action.StopFollowing());
    }

    @Test
    void walThatItsUpstreamHasNotGotAnyMoreIsNoReasonToClone() {
        // Given
        ClusterCore core = fed();

        // When
        List<Action> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            all.addAll(on(core, new Event.WalRemoved(N2, 1)));
        }
        all.addAll(on(core, new Event.PositionRead(reading, START)));

        // Then
        assertThat(all).doesNotHaveAnyElementsOfTypes(Action.StopServer.class, Action.PersistGeneration.class);
        assertThat(targets(all)).containsExactly(N1);
    }

    @Test
    void aNewEpochBeginsWithThePrimaryEvenWhereThatIsItsUpstream() {
        // Given
        ClusterCore core = fed();
        ClusterState next = promoted(state(N2), N2);

        // When
        List<Action> applied = on(core, new Event.StateApplied(next, 20));
        on(core, new Event.StreamsClosedBelow(2));
        List<Action> read = on(core, new Event.PositionRead(reading, START));
        on(core, new Event.StreamOpened(N2, 2, 2, START.lsn()));
        List<Action> later = during(core, 3 * HOLD_MS, new Event.Tick(0));

        // Then
        assertThat(applied).contains(new Action.CloseStreamsBelow(2));
        assertThat(read).contains(new Action.Follow(N2, 2, 1, START));
        assertThat(later).doesNotHaveAnyElementsOfTypes(Action.StopFollowing.class);
    }

    @Test
    void aWishThatIsTakenBackTakesItToThePrimary() {
        // Given
        ClusterCore core = fed();

        // When
        List<Action> applied = on(core, new Event.StateApplied(state(null), 20));

        // Then
        assertThat(applied).contains(new Action.StopFollowing());
        assertThat(targets(on(core, new Event.PositionRead(reading, START)))).containsExactly(N1);
    }

    // ---- feeding

    @Test
    void aStandbyFeedsThoseThatAreToStreamFromItWhileItStreamsFromThePrimary() {
        // Given
        ClusterCore core = core(N2);
        List<Action> following = streams(core, state(N2));

        // When
        List<Action> broken = on(core, new Event.StreamClosed(N1, 1, "connection reset"));
        List<Action> again = on(core, new Event.StreamOpened(N1, 1, 1, START.lsn()));
        List<Action> another = on(core, new Event.StateApplied(promoted(state(N2), N3), 20));

        // Then
        assertThat(following).contains(new Action.FeedMembers(1, Set.of(N4)));
        assertThat(broken).contains(new Action.FeedMembers(0, Set.of()));
        assertThat(again).contains(new Action.FeedMembers(1, Set.of(N4)));
        assertThat(another).contains(new Action.FeedMembers(0, Set.of()), new Action.CloseStreamsBelow(2));
        assertThat(sent(again, N4)).last().satisfies(f -> {
            assertThat(f.feeds()).isEqualTo(1);
            assertThat(f.upstream()).isEqualTo(N1);
        });
    }

    @Test
    void aStandbyFeedsNobodyWhoDidNotAskForIt() {
        assertThat(streams(core(N2), state(N3))).doesNotHaveAnyElementsOfTypes(Action.FeedMembers.class);
        assertThat(streams(core(N2), state(null))).doesNotHaveAnyElementsOfTypes(Action.FeedMembers.class);
    }

    @Test
    void aFrozenStandbyFeedsNobodyUntilItFollowsTheNextEpoch() {
        // Given
        ClusterCore core = core(N2);
        streams(core, state(N2));

        // When
        on(core, new Event.Received(N1, new CoordMessage.Freeze(2, 5)));
        List<Action> frozen = on(core, new Event.PromisePersisted(5));
        frozen = concat(frozen, on(core, new Event.StreamsClosedBelow(5)));
        frozen = concat(frozen, during(core, 1_000, new Event.Tick(0)));

        // Then: the freeze itself closes what was fed
        assertThat(frozen)
                .contains(new Action.CloseStreamsBelow(5))
                .doesNotHaveAnyElementsOfTypes(Action.FeedMembers.class);
    }

    @Test
    void whoIsFedTellsEverybodyFromWhomAndHowFar() {
        // Given
        ClusterCore core = fed();

        // When
        List<Action> told = during(core, 300, new Event.ReceiverProgress(1, new Lsn(1_500), new Lsn(1_400), Lsn.NONE));

        // Then
        assertThat(List.of(N1, N2, N3, N5))
                .allSatisfy(node -> assertThat(sent(told, node))
                        .last()
                        .isEqualTo(new CoordMessage.Follows(2, N2, 1, 0, new Lsn(1_400), Lsn.NONE)));
    }

    // ---- the world

    /** n4 as it streams from the primary. */
    private ClusterCore replica() {
        ClusterCore core = core(N4);
        assertThat(targets(streams(core, state(N2)))).containsExactly(N1);
        return core;
    }

    /** n4 as it streams from n2. */
    private ClusterCore fed() {
        ClusterCore core = replica();
        said = null;
        during(core, HOLD_MS + 200, follows(1, 1_000));
        assertThat(targets(on(core, new Event.PositionRead(reading, START)))).containsExactly(N2);
        on(core, new Event.StreamOpened(N2, 1, 1, START.lsn()));
        return core;
    }

    private List<Action> streams(ClusterCore core, ClusterState s) {
        List<Action> all = new ArrayList<>(on(core, new Event.StateApplied(s, 10)));
        all.addAll(on(core, new Event.RaftChanged(false, 2, N1, false, false)));
        all.addAll(on(core, new Event.ServerChanged(ServerState.STANDBY, 1)));
        all.addAll(on(core, new Event.StreamsClosedBelow(1)));
        all.addAll(on(core, new Event.PositionRead(reading, START)));
        all.addAll(on(core, new Event.Tick(0)));
        all.addAll(on(core, new Event.StreamOpened(N1, 1, 1, START.lsn())));
        return all;
    }

    /** What n2 says from now on. */
    private Event follows(long feeds, long flushed) {
        said = new CoordMessage.Follows(2, N1, feeds, feeds, new Lsn(flushed), new Lsn(flushed));
        return new Event.Received(N2, said);
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

    /** The event, and then ticks for so long, and what n2 says again and again. */
    private List<Action> during(ClusterCore core, long millis, Event event) {
        List<Action> all = new ArrayList<>(on(core, event));
        for (long i = 0; i < millis; i += 50) {
            now += 48_000_000;
            CoordMessage.Follows news = said;
            if (news != null) {
                all.addAll(on(core, new Event.Received(N2, news)));
            }
            all.addAll(on(core, new Event.Tick(0)));
        }
        return all;
    }

    private static List<NodeId> targets(List<Action> actions) {
        return actions.stream()
                .filter(Action.Follow.class::isInstance)
                .map(a -> ((Action.Follow) a).upstream())
                .toList();
    }

    private static List<CoordMessage.Follows> sent(List<Action> actions, NodeId to) {
        return actions.stream()
                .filter(Action.Send.class::isInstance)
                .map(Action.Send.class::cast)
                .filter(s -> s.to().equals(to) && s.message() instanceof CoordMessage.Follows)
                .map(s -> (CoordMessage.Follows) s.message())
                .toList();
    }

    private static List<Action> concat(List<Action> a, List<Action> b) {
        return java.util.stream.Stream.concat(a.stream(), b.stream()).toList();
    }

    private static ClusterState state(@Nullable NodeId upstreamOfN4) {
        ClusterState s = TestingStates.after(TestingStates.three(), new Command.AddMember(replica(N5)));
        return TestingStates.after(s, new Command.AddMember(replica(N4).withUpstream(upstreamOfN4)));
    }

    private static Member replica(NodeId node) {
        Member voter = TestingStates.member(node);
        return new Member(
                voter.peer(), 1, MemberKind.READ_REPLICA, MemberState.CAUGHT_UP, voter.addresses(), "", 100, false);
    }

    private static ClusterState promoted(ClusterState s, NodeId chosen) {
        NodeId other = chosen.equals(N2) ? N3 : N2;
        ClusterState next = TestingStates.after(
                s,
                new Command.Promote(
                        Command.Condition.of(s),
                        2,
                        chosen,
                        1,
                        Command.PromoteKind.FROZEN,
                        2,
                        START,
                        TestingStates.rule(1, other),
                        0,
                        "test"));
        assertThat(next.epoch()).isEqualTo(2);
        return next;
    }

    private static Member changed(ClusterState s, NodeId node, NodeId upstream) {
        Member m = s.member(node);
        assertThat(m).isNotNull();
        return m.withUpstream(upstream);
    }

    private static @Nullable NodeId upstream(ClusterState s, NodeId node) {
        Member m = s.member(node);
        assertThat(m).isNotNull();
        return m.upstream();
    }

    private static @Nullable String why(ClusterState s, NodeId node, @Nullable NodeId upstream) {
        Member m = s.member(node);
        assertThat(m).isNotNull();
        return Upstreams.refusal(new ProtocolRules(), s, m, upstream);
    }
}
