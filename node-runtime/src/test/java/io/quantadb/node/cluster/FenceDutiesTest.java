package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static io.quantadb.node.cluster.TestingStates.after;
import static io.quantadb.node.cluster.TestingStates.peer;
import static io.quantadb.node.cluster.TestingStates.rule;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** n1 leads and is the primary of three; what it makes of an operator who fences and unfences. */
class FenceDutiesTest {
    private static final Lsn END = new Lsn(5_000);

    private Context ctx;
    private Reports reports;
    private SwitchoverRound switchover;
    private FenceDuties duties;
    private List<Action> actions = List.of();

    @BeforeEach
    void threeThatAreWell() {
        ctx = new Context(peer(N1), new ProtocolRules(), 1, 0, 1_000_000_000L);
        ctx.state = TestingStates.three();
        ctx.leader = true;
        ctx.ownTermApplied = true;
        ctx.leaderId = N1;
        ctx.term = 2;
        ctx.voters = new TreeSet<>(List.of(peer(N1), peer(N2), peer(N3)));
        reports = new Reports(ctx);
        var granter = new LeaseGranter(ctx);
        var server = new ServerSupervisor(ctx, ServerState.PRIMARY, null);
        var primary = new PrimaryDuties(
                ctx,
                server,
                new StandbyDuties(ctx, server, new UpstreamChoice(ctx, new UpstreamNews(ctx))),
                new LeaseHolder(ctx, 1),
                granter);
        switchover = new SwitchoverRound(ctx, reports, granter, primary);
        duties = new FenceDuties(ctx, reports, switchover);
        hears(N1, true);
        hears(N2, true);
        hears(N3, true);
    }

    private void hears(NodeId node, boolean streams) {
        boolean primary = node.equals(N1);
        reports.keep(
                node,
                new LocalStatus(
                        1,
                        0,
                        0,
                        1,
                        1,
                        primary ? ServerState.PRIMARY : ServerState.STANDBY,
                        1,
                        true,
                        null,
                        END,
                        primary || !streams ? 0 : 1,
                        END,
                        true,
                        ""));
    }

    private Action.AdminAnswer ask(NodeId node, boolean fenced, boolean anyway) {
        duties.onAsked(7, new AdminRequest.FenceMember(node, fenced, anyway), false, null);
        actions = ctx.drain();
        return actions.stream()
                .filter(Action.AdminAnswer.class::isInstance)
                .map(Action.AdminAnswer.class::cast)
                .filter(a -> a.requestId() == 7)
                .findFirst()
                .orElseThrow();
    }

    private List<Command> proposed() {
        return actions.stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .toList();
    }

    private void tick() {
        duties.onTick();
        actions = ctx.drain();
    }

    @Test
    void fencesAStandbyAtOnceAndItsServerStopsOnlyOnceItIsNotNeeded() {
        // When
        Action.AdminAnswer answer = ask(N2, true, false);

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(answer.words()).contains("n2 serves no SQL", "once no commit and no failover counts on it");
        assertThat(proposed()).containsExactly(new Command.SetFence(peer(N2), Fence.SHUT));
    }

    @Test
    void stopsAStandbysServerWhoeverWaitsForItWhenToldTo() {
        // Given
        ctx.state = after(ctx.state, new Command.SetFence(peer(N2), Fence.SHUT));

        // When
        Action.AdminAnswer again = ask(N2, true, false);
        List<Command> nothing = proposed();
        ask(N2, true, true);

        // Then
        assertThat(again.words()).isEqualTo("n2 is fenced already");
        assertThat(nothing).isEmpty();
        assertThat(proposed()).containsExactly(new Command.SetFence(peer(N2), Fence.STOPPED));
    }

    @Test
    void aPrimaryHandsOverBeforeItIsFenced() {
        // When
        Action.AdminAnswer answer = ask(N1, true, false);
        List<Command> before = proposed();
        tick();
        List<Command> meanwhile = proposed();
        ctx.state = after(
                ctx.state,
                new Command.Promote(
                        Command.Condition.of(ctx.state),
                        2,
                        N2,
                        1,
                        Command.PromoteKind.HANDED_OVER,
                        2,
                        new Position(1, END),
                        rule(1, N1, N3),
                        0,
                        "test"));
        tick();
        List<Command> unreleased = proposed();
        ctx.state = after(ctx.state, new Command.Release(Command.Condition.of(ctx.state), 1, END));
        tick();

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(answer.words()).isEqualTo("n1 is the primary: n2 takes over first");
        assertThat(before).isEmpty();
        assertThat(meanwhile).isEmpty();
        assertThat(unreleased)
                .as("what n1 acknowledged last may be needed still")
                .isEmpty();
        assertThat(proposed()).containsExactly(new Command.SetFence(peer(N1), Fence.SHUT));
    }

    @Test
    void aPrimaryThatNobodyTookOverFromIsNotFenced() {
        // Given
        ask(N1, true, false);
        switchover.forget();

        // When
        tick();
        tick();

        // Then
        assertThat(proposed()).isEmpty();
        assertThat(ctx.state.members().get(N1)).extracting(Member::fence).isEqualTo(Fence.NONE);
    }

    @Test
    void refusesToFenceAPrimaryThatNobodyCanTakeOverFromUnlessForced() {
        // Given
        hears(N2, false);
        hears(N3, false);

        // When
        Action.AdminAnswer refused = ask(N1, true, false);
        List<Command> nothing = proposed();
        Action.AdminAnswer forced = ask(N1, true, true);

        // Then
        assertThat(refused.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(refused.words())
                .contains("n1 is the primary", "n2 does not stream", "n3 does not stream", "--force");
        assertThat(nothing).isEmpty();
        assertThat(forced.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(forced.words()).contains("writes stop");
        assertThat(proposed()).containsExactly(new Command.SetFence(peer(N1), Fence.STOPPED));
    }

    @Test
    void letsANodeFreeAtAnyTime() {
        // Given
        ctx.state = after(ctx.state, new Command.SetFence(peer(N2), Fence.STOPPED));

        // When
        duties.onAsked(7, new AdminRequest.FenceMember(N2, false, false), true, "a failover is under way");
        actions = ctx.drain();

        // Then
        assertThat(proposed()).containsExactly(new Command.SetFence(peer(N2), Fence.NONE));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"n9, no member is called n9; the members are n1", "n2, n2 is being removed"})
    void refusesWhoCannotBeFenced(String node, String words) {
        // Given
        ctx.state = after(ctx.state, new Command.SetMemberState(peer(N2), MemberState.LEAVING));

        // When
        Action.AdminAnswer answer = ask(new NodeId(node), true, true);

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(answer.words()).startsWith(words);
        assertThat(proposed()).isEmpty();
    }

    // ---- the replicated state

    @Test
    void aNodeThatBecamePrimaryMeanwhileServesOn() {
        // When
        ClusterState shut = after(ctx.state, new Command.SetFence(peer(N1), Fence.SHUT));
        ClusterState stopped = after(ctx.state, new Command.SetFence(peer(N1), Fence.STOPPED));

        // Then
        assertThat(shut).isEqualTo(ctx.state);
        assertThat(stopped.members().get(N1)).extracting(Member::fence).isEqualTo(Fence.STOPPED);
    }

    @Test
    void aFencedNodeIsNotPromotedByWhateverRight() {
        // Given
        ClusterState fenced = after(ctx.state, new Command.SetFence(peer(N2), Fence.SHUT));

        for (Command.PromoteKind kind : Command.PromoteKind.values()) {
            // When
            ClusterState next = after(
                    fenced,
                    new Command.Promote(
                            Command.Condition.of(fenced),
                            2,
                            N2,
                            1,
                            kind,
                            2,
                            new Position(1, END),
                            rule(1, N3),
                            0,
                            "test"));

            // Then
            assertThat(next).as("%s", kind).isEqualTo(fenced);
        }
    }

    // ---- the rule

    @Test
    void theRuleDoesWithoutAFencedMemberWhereTheOthersCanAcknowledge() {
        // Given
        ctx.state = after(ctx.state, new Command.SetFence(peer(N2), Fence.SHUT));
        var keeper = new RuleKeeper(ctx, reports);

        // When
        Rule both = keeper.wanted(Set.of());
        hears(N3, false);
        Rule alone = keeper.wanted(Set.of());

        // Then
        assertThat(both).isEqualTo(rule(1, N3));
        assertThat(alone).as("commits would wait for n3 alone").isEqualTo(rule(1, N2, N3));
    }

    @Test
    void theRuleKeepsTheOnlyOtherNodeThoughItIsFenced() {
        // Given
        ctx.state = after(ctx.state, new Command.Joint(Command.Condition.of(ctx.state), rule(1, N2)));
        ctx.state = after(ctx.state, new Command.Finish(Command.Condition.of(ctx.state)));
        ctx.state = after(ctx.state, new Command.RemoveMember(peer(N3)));
        ctx.state = after(ctx.state, new Command.SetFence(peer(N2), Fence.SHUT));

        // When
        Rule wanted = new RuleKeeper(ctx, reports).wanted(Set.of());

        // Then
        assertThat(wanted).isEqualTo(rule(1, N2));
    }
}
