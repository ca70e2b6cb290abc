package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the leader, n1, which is primary, does about the second of two data nodes. */
class MembershipKeeperTest {
    private static final HostPort AT = new HostPort("localhost", 1);
    private static final long TEN_SECONDS = 10_000_000_000L;
    private static final PeerId N1 = peer("n1");
    private static final PeerId N2 = peer("n2");
    private static final PeerId N3 = peer("n3");

    private Context ctx;
    private Reports reports;
    private VersionKeeper versions;
    private MembershipKeeper keeper;

    @BeforeEach
    void twoThatVote() {
        ctx = contextOf(ClusterVersion.NEWEST);
    }

    /** Of a release that reads so much, and keepers of their own. */
    private Context contextOf(int reads) {
        ctx = new Context(N1, new ProtocolRules(), reads, 1, 0, 1_000_000_000L);
        ctx.voters = new TreeSet<>(List.of(N1, N2));
        ctx.learners = new TreeSet<>();
        Member first = member(N1, MemberKind.DATA, MemberState.VOTER);
        Member second = member(N2, MemberKind.DATA, MemberState.VOTER);
        ClusterState formed = new Transitions(ctx.rules)
                .apply(ClusterState.EMPTY, new Command.Bootstrap("c", 42, 1, first, 1, Settings.DEFAULT))
                .state();
        ctx.state = new Draft(formed)
                .rule(new Rule(new TreeSet<>(List.of(second.ref())), 1))
                .member(second)
                .done();
        ctx.leader = true;
        ctx.ownTermApplied = true;
        ctx.term = 2;
        reports = new Reports(ctx);
        versions = new VersionKeeper(ctx);
        keeper = new MembershipKeeper(ctx, reports, versions);
        return ctx;
    }

    private static PeerId peer(String node) {
        return new PeerId(new NodeId(node), 7);
    }

    private static Member member(PeerId peer, MemberKind kind, MemberState state) {
        return new Member(peer, 1, kind, state, new Addresses(AT, AT, AT, AT, AT), "", 100, false);
    }

    private void with(Member third) {
        ctx.state = new Draft(ctx.state).member(third).done();
    }

    /** n2 follows well. */
    private void hears() {
        reports.keep(
                N2.node(),
                new LocalStatus(
                        1, 0, 0, 1, 1, ServerState.STANDBY, 1, true, null, new Lsn(5), 1, new Lsn(5), true, ""));
    }

    /** What it does now, without what it says. */
    private List<Action> tick() {
        hears();
        keeper.onTick();
        return ctx.drain().stream()
                .filter(action -> !(action instanceof Action.Tell))
                .toList();
    }

    private List<Action> afterTenSeconds() {
        var _ = tick();
        ctx.now += TEN_SECONDS;
        return tick();
    }

    @Test
    void notesWhereAMemberIsByNowAndLetsNobodyInByThat() {
        // Given
        HostPort moved = new HostPort("localhost", 9);
        Addresses there = new Addresses(moved, moved, moved, moved, moved);

        // When
        keeper.onMemberTold(new Event.MemberTold(1, N2, there, "b", 0));
        keeper.onMemberTold(new Event.MemberTold(2, N2, new Addresses(AT, AT, AT, AT, AT), "", 100));
        keeper.onMemberTold(new Event.MemberTold(3, peer("n9"), there, "", 100));
        keeper.onMemberTold(new Event.MemberTold(4, new PeerId(N2.node(), 8), there, "", 100));

        // Then
        assertThat(ctx.drain().stream().filter(a -> !(a instanceof Action.Tell)))
                .containsExactly(
                        new Action.Propose(new Command.UpdateMember(N2, there, "b", 0)),
                        new Action.JoinAnswer(1, Action.JoinVerdict.ACCEPTED, ""),
                        new Action.JoinAnswer(2, Action.JoinVerdict.ACCEPTED, ""),
                        new Action.JoinAnswer(3, Action.JoinVerdict.WAIT, "this life of the node is no member"),
                        new Action.JoinAnswer(4, Action.JoinVerdict.WAIT, "this life of the node is no member"));
        assertThat(keeper.leaving()).isEmpty();
    }

    /** Else a node would undo a second later what an operator has set. */
    @Test
    void whatWasSetByCommandHoldsWhateverTheNodeSaysAndOnItsNextDisk() {
        // Given
        Member m = ctx.state.member(N2);
        assertThat(m).isNotNull();
        with(m.withSet(new Placement(7, null)));
        Addresses at = m.addresses();

        // When
        keeper.onMemberTold(new Event.MemberTold(1, N2, at, "", 100));
        List<Action> same = ctx.drain();
        keeper.onMemberTold(new Event.MemberTold(2, N2, at, "b", 50));
        List<Command> told = proposed(ctx.drain());
        told.forEach(
                c -> ctx.state = new Transitions(ctx.rules).apply(ctx.state, c).state());

        // Then
        assertThat(proposed(same)).isEmpty();
        assertThat(told).containsExactly(new Command.UpdateMember(N2, at, "b", 50));
        Member after = ctx.state.member(N2);
        assertThat(after).isNotNull();
        assertThat(after.priority()).isEqualTo(7);
        assertThat(after.ownPriority()).isEqualTo(50);
        assertThat(after.zone()).isEqualTo("b");

        // And when its disk is another, and its former self is out of the rule and of Raft
        ctx.state = new Draft(ctx.state).rule(Rule.ALONE).done();
        ctx.voters = new TreeSet<>(List.of(N1));
        PeerId anew = new PeerId(N2.node(), 8);
        keeper.onJoinAsked(new Event.JoinAsked(3, anew, MemberKind.DATA, at, "b", 50));
        keeper.onTick();

        // Then
        assertThat(proposed(ctx.drain()).stream()
                        .filter(Command.AddMember.class::isInstance)
                        .map(c -> ((Command.AddMember) c).member())
                        .map(added -> "%s %d".formatted(added.peer().incarnation(), added.priority())))
                .containsExactly("8 7");
    }

    @Test
    void refusesALifeThatVotesAlreadyAndAReleaseThatCannotReadTheCluster() {
        // Given
        Addresses at = new Addresses(AT, AT, AT, AT, AT);
        ctx.state = new Draft(ctx.state).clusterVersion(9).done();
        PeerId newcomer = peer("n4");

        // When
        keeper.onJoinAsked(new Event.JoinAsked(1, N2, MemberKind.DATA, at, "", 100, null, 9));
        keeper.onJoinAsked(new Event.JoinAsked(2, newcomer, MemberKind.DATA, at, "", 100, null, 8));
        keeper.onJoinAsked(new Event.JoinAsked(3, newcomer, MemberKind.DATA, at, "", 100, null, 9));

        // Then
        assertThat(ctx.drain())
                .containsExactly(
                        new Action.JoinAnswer(
                                1,
                                Action.JoinVerdict.SPENT,
                                "this life of n2 votes already, so its disk was put back to before it was let in"),
                        new Action.JoinAnswer(
                                2,
                                Action.JoinVerdict.REFUSED,
                                "its release reads the cluster's state up to version 8, and this cluster is at 9: start it with the release that the members run"),
                        new Action.JoinAnswer(3, Action.JoinVerdict.WAIT, "being added"));
    }

    /** What its former self said last may still be fresh: taken for its own, it would count as another's data for ever. */
    @Test
    void aNewLifeIsNotGivenTheGenerationOfTheFormer() {
        // Given
        reports.keep(
                N2.node(),
                new LocalStatus(
                        48, 0, 0, 1, 1, ServerState.STANDBY, 1, true, null, new Lsn(5), 1, new Lsn(5), true, ""));
        PeerId anew = new PeerId(N2.node(), 8);
        ctx.state = new Draft(ctx.state)
                .rule(Rule.ALONE)
                .member(member(anew, MemberKind.DATA, MemberState.LEARNER))
                .done();
        ctx.voters = new TreeSet<>(List.of(N1));
        ctx.learners = new TreeSet<>(List.of(anew));

        // When
        keeper.onTick();
        List<Command> before = proposed(ctx.drain());
        hears();
        keeper.onTick();

        // Then
        assertThat(before).isEmpty();
        assertThat(proposed(ctx.drain())).noneMatch(Command.SetGeneration.class::isInstance);
        assertThat(reports.fresh(N2.node())).isNotNull();
    }

    /** Else it would be added behind the version that it cannot read. */
    @Test
    void whoReadsLessWaitsWhileTheVersionIsBeingRaised() {
        // Given
        ctx = contextOf(ClusterVersion.NEWEST + 1);
        versions.onReads(N2.node(), new CoordMessage.Reads(2, N2.incarnation(), ClusterVersion.NEWEST + 1));
        Addresses at = new Addresses(AT, AT, AT, AT, AT);
        PeerId newcomer = peer("n4");
        keeper.onJoinAsked(new Event.JoinAsked(1, newcomer, MemberKind.DATA, at, "", 100));
        versions.onTick();
        List<Command> raise = proposed(ctx.drain());

        // When
        keeper.onJoinAsked(new Event.JoinAsked(2, newcomer, MemberKind.DATA, at, "", 100));
        keeper.onTick();
        List<Action> meanwhile = ctx.drain();
        raise.forEach(versions::onFailed);
        keeper.onJoinAsked(new Event.JoinAsked(3, newcomer, MemberKind.DATA, at, "", 100));
        keeper.onTick();

        // Then
        assertThat(raise).hasSize(1);
        assertThat(meanwhile)
                .containsExactly(new Action.JoinAnswer(
                        2,
                        Action.JoinVerdict.WAIT,
                        "the cluster is about to be at version %d".formatted(ClusterVersion.NEWEST + 1)));
        assertThat(proposed(ctx.drain())).hasOnlyElementsOfType(Command.AddMember.class);
    }

    private static List<Command> proposed(List<Action> actions) {
        return actions.stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .toList();
    }

    @Test
    void asksTheSecondOfTwoToVoteNoMoreOutOfTheRuleFirst() {
        // When nothing else has come for a while
        List<Action> before = tick();
        ctx.now += TEN_SECONDS - 1;
        List<Action> still = tick();
        ctx.now += TEN_SECONDS;
        List<Action> first = tick();

        // Then
        assertThat(before).isEmpty();
        assertThat(still).isEmpty();
        assertThat(first).containsExactly(new Action.Propose(new Command.SetMemberState(N2, MemberState.CAUGHT_UP)));

        // When that is so, and the rule still names it
        with(member(N2, MemberKind.DATA, MemberState.CAUGHT_UP));
        ctx.now += TEN_SECONDS;

        // Then
        assertThat(tick()).isEmpty();

        // When the rule asks for nobody
        ctx.state = new Draft(ctx.state).rule(Rule.ALONE).done();
        ctx.now += TEN_SECONDS;

        // Then
        assertThat(tick()).containsExactly(new Action.DemoteToLearner(N2));

        // When it is a learner
        ctx.voters = new TreeSet<>(List.of(N1));
        ctx.learners = new TreeSet<>(List.of(N2));
        ctx.now += TEN_SECONDS;

        // Then
        assertThat(tick()).isEmpty();
    }

    @Test
    void leavesBothVotesWhereAWitnessIsTheOther() {
        // Given
        with(member(N2, MemberKind.WITNESS, MemberState.VOTER));
        ctx.state = new Draft(ctx.state).rule(Rule.ALONE).done();

        // When / Then
        assertThat(afterTenSeconds()).isEmpty();
    }

    @Test
    void leavesBothVotesWhileAThirdIsOnItsWayIn() {
        // Given
        ctx.learners = new TreeSet<>(List.of(N3));
        with(member(N3, MemberKind.DATA, MemberState.LEARNER));

        // When / Then
        assertThat(afterTenSeconds()).isEmpty();
    }

    @Test
    void countsNoReadReplicaForAThird() {
        // Given
        ctx.learners = new TreeSet<>(List.of(N3));
        with(member(N3, MemberKind.READ_REPLICA, MemberState.CAUGHT_UP));

        // When / Then
        assertThat(afterTenSeconds())
                .containsExactly(new Action.Propose(new Command.SetMemberState(N2, MemberState.CAUGHT_UP)));
    }

    @Test
    void givesTheVoteBackWhenAThirdComesHalfWay() {
        // Given
        var _ = afterTenSeconds();
        with(member(N2, MemberKind.DATA, MemberState.CAUGHT_UP));
        ctx.learners = new TreeSet<>(List.of(N3));
        with(member(N3, MemberKind.DATA, MemberState.LEARNER));

        // When
        ctx.now += TEN_SECONDS;

        // Then
        assertThat(tick()).containsExactly(new Action.Propose(new Command.SetMemberState(N2, MemberState.VOTER)));
    }

    @Test
    void whatTheRuleAsksForThenIsNobody() {
        // Given
        with(member(N2, MemberKind.DATA, MemberState.CAUGHT_UP));
        hears();

        // When / Then
        assertThat(new RuleKeeper(ctx, reports).wanted(keeper.leaving()))
                .isEqualTo(new Rule(new TreeSet<MemberRef>(), 0));
    }
}
