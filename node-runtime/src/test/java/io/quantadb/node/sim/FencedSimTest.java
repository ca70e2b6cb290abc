package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.common.NodeId;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clusters whose operator fences nodes. */
class FencedSimTest {
    private static final long CHAOS_MS = 6_000;

    static LongStream seeds() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Math.max(1, Integer.getInteger("sim.runs", 200) / 10));
    }

    @ParameterizedTest(name = "tended={0}")
    @MethodSource("seeds")
    void losesNothingAndPromotesNobodyFencedAndServesAgainOnceAllAreFree(long seed) {
        SimRun run = SimRun.tended(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    @Test
    void commitsAreAcknowledgedThoughEveryStandbyIsFenced() {
        // When
        SimRun run = withEveryStandbyFenced(new ProtocolRules());

        // Then
        assertThat(run.world.oracle.committed.members().values())
                .filteredOn(m -> m.fence().fenced())
                .hasSize(2);
    }

    /** What a fence must not do: end acknowledgement. */
    @Test
    void aFenceThatStopsAServerWhichTheRuleNamesIsNoticed() {
        // Given
        ProtocolRules bug = new ProtocolRules() {
            @Override
            public boolean mayStopFenced(ClusterState state, Member member) {
                return member.fence().fenced();
            }
        };

        // When, then
        assertThatThrownBy(() -> withEveryStandbyFenced(bug))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("a commit is acknowledged with every standby fenced");
    }

    private static SimRun withEveryStandbyFenced(ProtocolRules rules) {
        SimRun run = SimRun.of(0, rules, new SimBugs());
        run.form();
        run.clients();
        NodeId primary = run.serving().id;
        run.nodes.stream()
                .filter(n -> !n.id.equals(primary))
                .forEach(n -> run.fences.ask(new AdminRequest.FenceMember(n.id, true, false)));
        run.awaitTrue(
                "both are fenced",
                5_000,
                () -> run.world.oracle.committed.members().values().stream()
                                .filter(m -> m.fence().fenced())
                                .count()
                        == 2);
        run.run(1_000);
        long before = run.world.oracle.acknowledged;
        run.awaitTrue(
                "a commit is acknowledged with every standby fenced",
                10_000,
                () -> run.world.oracle.acknowledged > before + 5);
        return run;
    }
}
