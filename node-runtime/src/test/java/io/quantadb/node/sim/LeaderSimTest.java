package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.ProtocolRules;
import org.junit.jupiter.api.Test;

/** Many short schedules of one leader; {@link MutationSimTest} shows what they can find. */
class LeaderSimTest {
    private static final int STEPS = 400;

    @Test
    void everyFreezeQuorumKnowsWhatWasShownHoweverLateEntriesAreCommitted() {
        // Given
        int seeds = 2 * Integer.getInteger("sim.runs", 200);
        long first = Long.getLong("sim.seed", 0);
        int answering = 0;

        // When
        for (long seed = first; seed < first + seeds; seed++) {
            answering += shown(seed) > 0 ? 1 : 0;
        }

        // Then
        assertThat(answering)
                .as("seeds of %d in which clients were answered", seeds)
                .isGreaterThan(seeds / 2);
    }

    private static int shown(long seed) {
        try {
            return new LeaderRun(seed, new ProtocolRules()).steps(STEPS).shown();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    @Test
    void tellsTheSameStoryForTheSameSeed() {
        // Given
        LeaderRun first = new LeaderRun(7, new ProtocolRules()).steps(STEPS);

        // When
        LeaderRun second = new LeaderRun(7, new ProtocolRules()).steps(STEPS);

        // Then
        assertThat(second.story()).isEqualTo(first.story()).isNotEqualTo(0);
    }
}
