package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static io.quantadb.node.cluster.TestingStates.after;
import static io.quantadb.node.cluster.TestingStates.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** n2 leads; n1, the primary, is silent, and n3, which acknowledged too, is about to copy its data anew. */
class ForcedFailoverTest {
    private static final Position END = new Position(1, new Lsn(0x5000));
    private static final Lsn FURTHER = new Lsn(0x5100);

    private Context ctx;
    private Reports reports;
    private ForcedFailover forced;
    private List<Action> actions = List.of();

    @BeforeEach
    void tooFewKnowWhatWasAcknowledged() {
        ctx = new Context(peer(N2), new ProtocolRules(), 1, 0, 1_000_000_000L);
        ctx.state = TestingStates.three();
        ctx.leader = true;
        ctx.ownTermApplied = true;
        ctx.leaderId = N2;
        ctx.term = 2;
        reports = new Reports(ctx);
        var granter = new LeaseGranter(ctx);
        var server = new ServerSupervisor(ctx, ServerState.STANDBY, null);
        var primary = new PrimaryDuties(
                ctx,
                server,
                new StandbyDuties(ctx, server, new UpstreamChoice(ctx, new UpstreamNews(ctx))),
                new LeaseHolder(ctx, 1),
                granter);
        forced = new ForcedFailover(ctx, reports, granter, primary);
        hears(N1, 1, ServerState.PRIMARY, FURTHER);
        ctx.now += 12_500_000_000L;
        hears(N2, 1, ServerState.STANDBY, END.lsn());
        hears(N3, 2, ServerState.EMPTY, Lsn.NONE);
    }

    private void hears(NodeId node, long generation, ServerState server, Lsn flushed) {
        reports.keep(
                node, new LocalStatus(generation, 0, 0, 1, 1, server, 1, true, null, flushed, 0, flushed, true, ""));
    }

    private Action.AdminAnswer ask(AdminRequest.ForceFailover request) {
        forced.onAsked(7, request, false);
        actions = ctx.drain();
        return actions.stream()
                .filter(Action.AdminAnswer.class::isInstance)
                .map(Action.AdminAnswer.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private List<Action> tick() {
        ctx.now += 400_000_000L;
        hears(N2, 1, ServerState.STANDBY, END.lsn());
        forced.onTick();
        return ctx.drain();
    }

    @Test
    void saysWhatItKnowsOfTheLossAndTouchesNothingBeforeItIsConfirmed() {
        // When
        Action.AdminAnswer answer = ask(new AdminRequest.ForceFailover(null, "", false));

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.UNCONFIRMED);
        assertThat(answer.words().lines())
                .containsExactly(
                        "cluster c",
                        "epoch 1: of (n2, n3) 2 must answer to know what was acknowledged, and 1 do",
                        "n1 is silent for 12.5 s: its WAL ended at 0/5100 then",
                        "n2 answers: its WAL ends at 0/5000",
                        "n3 answers: it holds no whole copy of the data",
                        "n2 would be primary, with the cluster's WAL to 0/5000: at least 256 bytes behind the furthest known",
                        "whatever was acknowledged beyond that is lost for good, also what nobody here knows of");
        assertThat(forced.running()).isFalse();
        assertThat(tick()).isEmpty();
    }

    @Test
    void countsNoWalOfABranchThatTheClusterLeftBehind() {
        // Given n1 went on alone from 0/4F00 on, and n2 has more of what was before than that
        ClusterState s = ctx.state;
        s = after(
                s,
                new Command.Promote(
                        Command.Condition.of(s),
                        2,
                        N1,
                        1,
                        Command.PromoteKind.FROZEN,
                        2,
                        new Position(1, new Lsn(0x4f00)),
                        TestingStates.rule(1, N2, N3),
                        0,
                        "test"));
        ctx.state = after(s, new Command.Release(Command.Condition.of(s), 1, new Lsn(0x4f00)));
        assertThat(ctx.state.releasedEpoch()).isEqualTo(2);
        reports.keep(
                N2, new LocalStatus(1, 0, 0, 1, 1, ServerState.DOWN, 1, true, END, END.lsn(), 0, END.lsn(), true, ""));

        // When
        Action.AdminAnswer answer = ask(new AdminRequest.ForceFailover(null, "", false));

        // Then
        assertThat(answer.words())
                .contains("n2 answers: its WAL ends at 0/5000, and only up to 0/4F00 is it the cluster's")
                .contains("n2 would be primary, with the cluster's WAL to 0/4F00: at least 512 bytes behind");
    }

    @Test
    void doesNothingForAnotherClustersName() {
        // When
        Action.AdminAnswer answer = ask(new AdminRequest.ForceFailover(null, "d", false));

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(answer.words()).isEqualTo("this cluster is called c, not d");
        assertThat(forced.running()).isFalse();
    }

    @Test
    void freezesWhoAnswersAndPromotesTheFurthestAheadAlone() {
        // Given
        Action.AdminAnswer answer = ask(new AdminRequest.ForceFailover(null, "c", false));
        List<Action> freezing = tick();

        // When
        forced.onFreezeReply(N2, new CoordMessage.FreezeReply(2, 2, 1, END, END.lsn()));
        List<Action> done = tick();

        // Then
        assertThat(answer.words()).isEqualTo("n2 is made primary by force");
        assertThat(freezing)
                .contains(
                        new Action.Send(N1, new CoordMessage.Freeze(2, 2)),
                        new Action.Send(N3, new CoordMessage.Freeze(2, 2)));
        assertThat(freezing).doesNotHaveAnyElementsOfTypes(Action.Propose.class);
        Command.Promote promote = done.stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> (Command.Promote) ((Action.Propose) a).command())
                .findFirst()
                .orElseThrow();
        assertThat(promote.kind()).isEqualTo(Command.PromoteKind.FORCED);
        assertThat(promote.node()).isEqualTo(N2);
        assertThat(promote.epoch()).isEqualTo(2);
        assertThat(promote.timeline()).isEqualTo(2);
        assertThat(promote.from()).isEqualTo(END);
        assertThat(promote.nextRule()).isEqualTo(Rule.ALONE);
        assertThat(after(ctx.state, promote).primary()).isEqualTo(N2);
    }

    @Test
    void proposesAgainButNotAtOnceWhenRaftRefuses() {
        // Given
        ask(new AdminRequest.ForceFailover(null, "c", false));
        tick();
        forced.onFreezeReply(N2, new CoordMessage.FreezeReply(2, 2, 1, END, END.lsn()));
        List<Action> first = tick();

        // When
        forced.onProposalFailed();
        forced.onTick();
        List<Action> atOnce = ctx.drain();
        List<Action> later = tick();

        // Then
        assertThat(first).hasAtLeastOneElementOfType(Action.Propose.class);
        assertThat(atOnce).doesNotHaveAnyElementsOfTypes(Action.Propose.class);
        assertThat(later).hasAtLeastOneElementOfType(Action.Propose.class);
    }

    @Test
    void takesWhoHasMostOfWhatWasAcknowledgedNotWhoWroteMostOnABranchOfItsOwn() {
        // Given n3 was promoted and is lost, n1 wrote on beyond the fork, and n2 has followed n3 for a while
        ctx.state = after(
                ctx.state,
                new Command.Promote(
                        Command.Condition.of(ctx.state),
                        2,
                        N3,
                        2,
                        Command.PromoteKind.FORCED,
                        2,
                        END,
                        Rule.ALONE,
                        0,
                        "test"));
        ctx.state = after(ctx.state, new Command.Release(Command.Condition.of(ctx.state), 1, END.lsn()));
        ctx.now += 5_000_000_000L;
        reports.keep(N1, stopped(new Position(1, FURTHER)));
        reports.keep(N2, stopped(new Position(2, END.lsn().plus(0x10))));

        // When
        Action.AdminAnswer answer = ask(new AdminRequest.ForceFailover(null, "c", false));

        // Then
        assertThat(answer.words()).isEqualTo("n2 is made primary by force");
    }

    private static LocalStatus stopped(Position end) {
        return new LocalStatus(1, 0, 0, 1, 2, ServerState.DOWN, 0, false, end, end.lsn(), 0, end.lsn(), true, "");
    }

    @Test
    void isOverOnceAnotherEpochHasBegun() {
        // Given
        ask(new AdminRequest.ForceFailover(null, "", true));
        ctx.state = after(
                ctx.state,
                new Command.Promote(
                        Command.Condition.of(ctx.state),
                        2,
                        N2,
                        1,
                        Command.PromoteKind.FORCED,
                        2,
                        END,
                        Rule.ALONE,
                        0,
                        "test"));

        // When
        List<Action> actionsAfter = tick();

        // Then
        assertThat(forced.running()).isFalse();
        assertThat(actionsAfter).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "primary well,  n1 is primary and its PostgreSQL runs: move it in order (quantadb switchover)",
        "primary down,  n1 answers and has its data: its PostgreSQL is started again by itself",
        "enough,        enough members answer: the failover goes on by itself and loses nothing",
        "held back,     'the cluster is in maintenance, which holds the failover back: end it'",
        "named away,    n3 holds no whole copy of the data",
        "fenced,        nobody can be made primary: n2 is fenced"
    })
    void refusesWhatNeedNotOrCannotBeForced(String what, String words) {
        // Given
        NodeId target = null;
        switch (what) {
            case "primary well" -> hears(N1, 1, ServerState.PRIMARY, FURTHER);
            case "primary down" ->
                reports.keep(
                        N1,
                        new LocalStatus(1, 0, 0, 1, 1, ServerState.DOWN, 1, true, END, FURTHER, 0, FURTHER, true, ""));
            case "enough" -> hears(N3, 1, ServerState.STANDBY, END.lsn());
            case "held back" -> {
                hears(N3, 1, ServerState.STANDBY, END.lsn());
                ctx.state = after(
                        ctx.state,
                        new Command.ChangeSettings(ctx.state.settings().withPausedUntil(Settings.UNTIL_ENDED)));
            }
            case "named away" -> target = N3;
            default -> ctx.state = after(ctx.state, new Command.SetFence(peer(N2), Fence.SHUT));
        }

        // When
        Action.AdminAnswer answer = ask(new AdminRequest.ForceFailover(target, "c", true));

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(answer.words()).startsWith(words);
        assertThat(forced.running()).isFalse();
    }
}
