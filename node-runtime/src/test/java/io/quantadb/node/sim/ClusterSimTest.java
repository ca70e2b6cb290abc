package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.SwitchoverReport;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ClusterSimTest {
    private static final long CHAOS_MS = 6_000;
    private static final long SLOW_MS = 12_000;

    /** The last one is the run that is repeated. */
    @RegisterExtension
    static final SeedProgress PROGRESS = new SeedProgress("cluster", seeds().count() + 7 * storms().count() + 2);

    static LongStream seeds() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Integer.getInteger("sim.runs", 200));
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void holdsItsInvariantsAndServesAgainAfterTheFaults(long seed) {
        SimRun run = SimRun.of(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            run.world.log.forEach(System.out::println);
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** Streams and servers of standbys come and go faster than anybody notices. */
    @ParameterizedTest(name = "storm={0}")
    @MethodSource("storms")
    void survivesStandbysThatKeepComingBack(long seed) {
        SimRun run = SimRun.storm(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** The mode changes all the time, while standbys, disks and permits are slow and data becomes unreadable. */
    @ParameterizedTest(name = "restless={0}")
    @MethodSource("storms")
    void survivesRulesThatChangeWhileMembersLag(long seed) {
        SimRun run = SimRun.restless(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** WAL comes late to some, and others lose their data meanwhile. */
    @ParameterizedTest(name = "lagging={0}")
    @MethodSource("storms")
    void survivesLossesWhileFewHoldWhatWasAcknowledgedLast(long seed) {
        SimRun run = SimRun.lagging(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(SLOW_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** The rule follows members that come and go, and its entries are late. */
    @ParameterizedTest(name = "stalling={0}")
    @MethodSource("storms")
    void survivesDecisionsThatAreCommittedLate(long seed) {
        SimRun run = SimRun.stalling(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(SLOW_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** The primary is asked to move all the time, and struck while it does. */
    @ParameterizedTest(name = "moving={0}")
    @MethodSource("moves")
    void losesNothingHoweverOftenThePrimaryMoves(long seed) {
        SimRun run = SimRun.moving(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** Election timeout and lease become longer and shorter, and every node comes to it when it does. */
    @ParameterizedTest(name = "retiming={0}")
    @MethodSource("storms")
    void survivesTimersThatChangeWhileThePrimaryMovesAndDies(long seed) {
        SimRun run = SimRun.retiming(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** Operators who do not know of each other, and disks that fail meanwhile. */
    @ParameterizedTest(name = "operated={0}")
    @MethodSource("storms")
    void survivesOperatorsWhoWantDifferentThingsAtOnce(long seed) {
        SimRun run = SimRun.operated(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** What is asked for all the time is done now and then, and given up now and then, or these runs show nothing. */
    @Test
    void movesThePrimaryInOrderInMostRuns() {
        // Given
        int done = 0;
        int aborted = 0;
        int refused = 0;

        // When
        for (long seed = 0; seed < 10; seed++) {
            SimMoves moves =
                    SimRun.moving(seed, new ProtocolRules(), new SimBugs()).chaos(CHAOS_MS).moves;
            done += moves.ended(SwitchoverReport.Phase.DONE) > 0 ? 1 : 0;
            aborted += moves.ended(SwitchoverReport.Phase.ABORTED);
            refused += moves.refused();
        }

        // Then
        assertThat(done).isGreaterThan(5);
        assertThat(aborted).isPositive();
        assertThat(refused).isPositive();
    }

    static LongStream moves() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Math.max(1, Integer.getInteger("sim.runs", 200) / 5));
    }

    static LongStream storms() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Math.max(1, Integer.getInteger("sim.runs", 200) / 10));
    }

    @Test
    void tellsTheSameStoryForTheSameSeed() {
        // Given
        long first = SimRun.of(7, new ProtocolRules(), new SimBugs())
                .all(CHAOS_MS)
                .world
                .traceHash();

        // When
        long second = SimRun.of(7, new ProtocolRules(), new SimBugs())
                .all(CHAOS_MS)
                .world
                .traceHash();

        // Then
        assertThat(second).isEqualTo(first);
    }
}
