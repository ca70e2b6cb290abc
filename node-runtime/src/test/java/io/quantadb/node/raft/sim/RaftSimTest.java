package io.quantadb.node.raft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.raft.RaftRules;
import io.quantadb.node.sim.SeedProgress;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RaftSimTest {
    private static final long CHAOS_MS = 5_000;
    private static final long UPHEAVAL_MS = 2_000;

    /** The last one is the run that is repeated. */
    @RegisterExtension
    static final SeedProgress PROGRESS = new SeedProgress("raft", 4 * seeds().count() + 1);

    static LongStream seeds() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Integer.getInteger("sim.runs", 200));
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void holdsItsInvariantsAndWorksAgainAfterTheFaults(long seed) {
        try {
            SimRun run = new SimRun(seed, new RaftRules(), CHAOS_MS).run();
            assertThat(run.world.invariants.highestCommitted()).isGreaterThan(1);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: -Dtest=RaftSimTest -Dsim.runs=1 -Dsim.seed=" + seed, e);
        }
    }

    @ParameterizedTest(name = "storm seed={0}")
    @MethodSource("seeds")
    void holdsItsInvariantsWhenLeadersRarelyLast(long seed) {
        try {
            SimRun run = new SimRun(seed, new RaftRules(), CHAOS_MS, SimProfile::storm).run();
            assertThat(run.world.invariants.highestCommitted()).isGreaterThan(1);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: -Dtest=RaftSimTest -Dsim.runs=1 -Dsim.seed=" + seed, e);
        }
    }

    @ParameterizedTest(name = "upheaval seed={0}")
    @MethodSource("seeds")
    void holdsItsInvariantsWhenEveryLeaderChangesTheMembersUnheard(long seed) {
        try {
            SimRun run = new SimRun(seed, new RaftRules(), UPHEAVAL_MS, SimProfile::upheaval).run();
            assertThat(run.world.invariants.highestCommitted()).isGreaterThan(1);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: -Dtest=RaftSimTest -Dsim.runs=1 -Dsim.seed=" + seed, e);
        }
    }

    @ParameterizedTest(name = "retiming seed={0}")
    @MethodSource("seeds")
    void holdsItsInvariantsWhileTimersChangeAndSomeNodesHearOfItLate(long seed) {
        try {
            SimRun run = SimRun.retiming(seed, new RaftRules(), SimRetimes.OFTEN, CHAOS_MS)
                    .run();
            assertThat(run.world.invariants.highestCommitted()).isGreaterThan(1);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: -Dtest=RaftSimTest -Dsim.runs=1 -Dsim.seed=" + seed, e);
        }
    }

    @Test
    void tellsTheSameStoryForTheSameSeed() {
        // Given
        String first = new SimRun(7, new RaftRules(), CHAOS_MS).run().world.traceText();

        // When
        String second = new SimRun(7, new RaftRules(), CHAOS_MS).run().world.traceText();

        // Then
        assertThat(second).isEqualTo(first).isNotEmpty();
    }
}
