package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of n1, n2 and n3 the first is the primary that is replaced by the second, which leads. */
class CandidatesTest {
    private static final Position END = new Position(1, new Lsn(2_000));
    private static final long LONG_AGO = 10_000_000_000L;

    private final Context ctx = new Context(TestingStates.peer(N2), new ProtocolRules(), 1, 0, 1_000_000_000L);

    @BeforeEach
    void nobodyWasHeardForAWhile() {
        ctx.state = TestingStates.three();
        ctx.now += LONG_AGO;
    }

    @Test
    void theNextRuleHasWhoAnsweredButNotThePrimaryThatIsReplaced() {
        // Given
        ctx.heard(N1);
        ctx.heard(N3);

        // When
        Rule rule = Candidates.nextRule(ctx, N2, Map.of(N1, answer(END), N2, answer(END), N3, answer(END)), END);

        // Then
        assertThat(rule).isEqualTo(TestingStates.rule(1, N3));
    }

    @Test
    void whereNobodyElseAnsweredThePrimaryWhoseAgentIsHeardMayAcknowledge() {
        // Given n3 is gone, and of n1 only the server
        ctx.heard(N1);

        // When
        Rule rule = Candidates.nextRule(ctx, N2, Map.of(N1, answer(END), N2, answer(END)), END);

        // Then
        assertThat(rule).isEqualTo(TestingStates.rule(1, N1));
    }

    @Test
    void whereNobodyElseIsHeardTheRuleWaitsForTheOthers() {
        // When
        Rule rule = Candidates.nextRule(ctx, N2, Map.of(N2, answer(END)), END);

        // Then
        assertThat(rule).isEqualTo(TestingStates.rule(1, N3));
    }

    @Test
    void whoCouldNotServeInItsEpochIsChosenAgainOnlyWhereNobodyElseHoldsAsMuch() {
        // Given n2 has epoch 2, and its server ended while it was promoted; it says that it is fit again
        ClusterState s = TestingStates.three();
        ctx.state = TestingStates.after(
                s,
                new Command.Promote(
                        Command.Condition.of(s),
                        2,
                        N2,
                        1,
                        Command.PromoteKind.FROZEN,
                        2,
                        END,
                        TestingStates.rule(1, N3),
                        0,
                        "test"));
        Position less = new Position(1, new Lsn(1_000));

        // Then
        assertThat(ctx.state.released()).isFalse();
        assertThat(chosen(Map.of(N2, answer(END), N3, answer(END)))).isEqualTo(N3);
        assertThat(chosen(Map.of(N2, answer(END), N3, answer(less)))).isEqualTo(N2);
        assertThat(chosen(Map.of(N2, answer(END)))).isEqualTo(N2);
    }

    private @Nullable NodeId chosen(Map<NodeId, CoordMessage.FreezeReply> answers) {
        LocalStatus fit =
                new LocalStatus(1, 2, 20, 9, 2, ServerState.STANDBY, 1, false, END, END.lsn(), 0, Lsn.NONE, true, "");
        return Candidates.choose(ctx.rules, ctx.state, answers, node -> fit, END, N2);
    }

    private static CoordMessage.FreezeReply answer(@Nullable Position end) {
        return new CoordMessage.FreezeReply(2, 2, 1, end, new Lsn(2_000));
    }
}
