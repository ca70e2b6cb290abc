package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Of n1, n2 and n3 the first is the primary that is replaced. */
class CandidatesTest {
    private static final Position END = new Position(1, new Lsn(2_000));

    @Test
    void theNextRuleHasWhoAnsweredButNotThePrimaryThatIsReplaced() {
        // When
        Rule rule = Candidates.nextRule(
                TestingStates.three(), N2, Map.of(N1, answer(END), N2, answer(END), N3, answer(END)), END);

        // Then
        assertThat(rule).isEqualTo(TestingStates.rule(1, N3));
    }

    @Test
    void whereNobodyElseAnsweredWhoeverComesBackFirstMayAcknowledge() {
        // When n3 is gone, and n1, whose server has just died, has not read its end yet
        Rule rule = Candidates.nextRule(TestingStates.three(), N2, Map.of(N1, answer(null), N2, answer(END)), END);

        // Then
        assertThat(rule).isEqualTo(TestingStates.rule(1, N1, N3));
    }

    private static CoordMessage.FreezeReply answer(@Nullable Position end) {
        return new CoordMessage.FreezeReply(2, 2, 1, end, new Lsn(2_000));
    }
}
