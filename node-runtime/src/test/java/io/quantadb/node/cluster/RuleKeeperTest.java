package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What rule the leader, n1, which is primary, proposes for who acknowledges beside it. */
class RuleKeeperTest {
    private static final Lsn END = new Lsn(5_000);

    private Context ctx;
    private Reports reports;
    private RuleKeeper keeper;

    @BeforeEach
    void threeThatAreWell() {
        ctx = new Context(TestingStates.peer(N1), new ProtocolRules(), 1, 0, 1_000_000_000L);
        ctx.state = TestingStates.three();
        ctx.leader = true;
        ctx.ownTermApplied = true;
        ctx.term = 2;
        reports = new Reports(ctx);
        keeper = new RuleKeeper(ctx, reports);
        hears(N1, 1, ServerState.PRIMARY);
        hears(N2, 1, ServerState.STANDBY);
        hears(N3, 1, ServerState.STANDBY);
    }

    private void hears(NodeId node, long generation, ServerState server) {
        boolean streams = server == ServerState.STANDBY;
        Lsn flushed = server == ServerState.EMPTY ? Lsn.NONE : END;
        reports.keep(
                node,
                new LocalStatus(
                        generation, 0, 0, 1, 1, server, 1, true, null, flushed, streams ? 1 : 0, flushed, true, ""));
    }

    private List<Command> proposes(Set<NodeId> gone, Set<NodeId> aside) {
        keeper.onTick(gone, aside);
        return ctx.drain().stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .toList();
    }

    private void apply(Command command) {
        ctx.state = TestingStates.after(ctx.state, command);
    }

    /** n1 and n2 are all, and n2 acknowledges. */
    private void two() {
        apply(new Command.Joint(Command.Condition.of(ctx.state), TestingStates.rule(1, N2)));
        apply(new Command.Finish(Command.Condition.of(ctx.state)));
        apply(new Command.RemoveMember(TestingStates.peer(N3)));
    }

    private void set(Settings.Mode mode, Settings.Policy policy) {
        apply(new Command.ChangeSettings(ctx.state.settings().withRule(mode, policy, 0)));
    }

    @Test
    void goesOnAloneOnlyWhenTheDiskOfTheOtherIsLostForGood() {
        // Given
        two();

        // When
        List<Command> all = proposes(Set.of(), Set.of());
        List<Command> aside = proposes(Set.of(), Set.of(N2));
        List<Command> gone = proposes(Set.of(N2), Set.of());

        // Then
        assertThat(all).isEmpty();
        assertThat(aside).isEmpty();
        assertThat(gone).containsExactly(new Command.Joint(Command.Condition.of(ctx.state), TestingStates.rule(0)));
    }

    @Test
    void asksForNoFewerThanBeforeWhenOneIsToBeCopiedAnewAndTheOthersDiskIsLost() {
        // When
        List<Command> both = proposes(Set.of(N3), Set.of(N2));
        List<Command> copied = proposes(Set.of(), Set.of(N2));

        // Then
        assertThat(both).isEmpty();
        assertThat(copied)
                .containsExactly(new Command.Joint(Command.Condition.of(ctx.state), TestingStates.rule(1, N3)));
    }

    @Test
    void asksForNoFewerThanBeforeInModeAllEither() {
        // Given
        set(Settings.Mode.ALL, Settings.Policy.BLOCK);
        apply(new Command.Joint(Command.Condition.of(ctx.state), TestingStates.rule(2, N2, N3)));
        apply(new Command.Finish(Command.Condition.of(ctx.state)));

        // When
        List<Command> both = proposes(Set.of(N3), Set.of(N2));

        // Then
        assertThat(both).isEmpty();
    }

    /** Its new data do not count before they are whole, and those that counted are gone. */
    @Test
    void waitsInModeAllForTheOnlyOtherWhileItClonesUnlessTheRuleMayShrink() {
        // Given
        two();
        set(Settings.Mode.ALL, Settings.Policy.BLOCK);
        apply(new Command.SetGeneration(TestingStates.peer(N2), 2));
        hears(N2, 2, ServerState.EMPTY);

        // When
        List<Command> blocks = proposes(Set.of(), Set.of());
        set(Settings.Mode.ALL, Settings.Policy.SHRINK);
        List<Command> shrinks = proposes(Set.of(), Set.of());

        // Then
        assertThat(blocks).isEmpty();
        assertThat(shrinks).containsExactly(new Command.Joint(Command.Condition.of(ctx.state), TestingStates.rule(0)));
    }
}
