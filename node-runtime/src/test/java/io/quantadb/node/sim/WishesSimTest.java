package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.ProtocolRules;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What operators want of failovers beside that nothing is lost: where they go, how often, and past whom. */
class WishesSimTest {
    static LongStream seeds() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Math.max(1, Integer.getInteger("sim.runs", 200) / 10));
    }

    @ParameterizedTest(name = "regional={0}")
    @MethodSource("seeds")
    void leavesTheRegionNeverByItself(long seed) {
        holds(seed, SimRun.regional(seed, new ProtocolRules(), new SimBugs()));
    }

    @ParameterizedTest(name = "flapping={0}")
    @MethodSource("seeds")
    void movesAwayFromLivingPrimariesEverMoreSeldom(long seed) {
        holds(seed, SimRun.flapping(seed, new ProtocolRules(), new SimBugs()));
    }

    /** Epochs that ended for other causes once made the next one wait for minutes, and nobody served meanwhile. */
    @ParameterizedTest(name = "flapping={0}")
    @ValueSource(longs = {124, 344})
    void servesSoonAfterManyEpochsThatWereNeverReleased(long seed) {
        holds(seed, SimRun.flapping(seed, new ProtocolRules(), new SimBugs()));
    }

    private static void holds(long seed, SimRun run) {
        try {
            run.all(WorldBug.CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    static Stream<WorldBug> bugs() {
        return Stream.of(
                new WorldBug("a failover that leaves the region", SimRun::regional, "region: ", new ProtocolRules() {
                    @Override
                    public boolean mayFailOverTo(ClusterState state, Member chosen) {
                        return true;
                    }
                }),
                new WorldBug("a primary that is moved to and fro", SimRun::flapping, "moves: ", new ProtocolRules() {
                    @Override
                    public long moveDelayMillis(int first, int moves) {
                        return 0;
                    }
                }),
                new WorldBug("moves that never become more seldom", SimRun::flapping, "moves: ", new ProtocolRules() {
                    @Override
                    public long moveDelayMillis(int first, int moves) {
                        return first;
                    }
                }),
                new WorldBug(
                        "an epoch that nobody follows given no time", SimRun::flapping, "moves: ", new ProtocolRules() {
                            @Override
                            public long barredNanos(ClusterState state) {
                                return 100 * SimWorld.MS;
                            }
                        }),
                new WorldBug(
                        "another promoted before the old lease is over",
                        SimRun::flapping,
                        "INV3: ",
                        new ProtocolRules() {
                            @Override
                            public boolean leaseOver(boolean over) {
                                return true;
                            }
                        }),
                new WorldBug(
                        "somebody promoted who was fenced meanwhile", SimRun::tended, "fence: ", new ProtocolRules() {
                            @Override
                            public boolean mayBePromoted(Member chosen) {
                                return true;
                            }
                        }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bugs")
    void eachGuardTakenAwayIsNoticed(WorldBug bug) {
        // When
        String noticed = bug.firstNoticed();

        // Then
        assertThat(noticed)
                .as("no seed below %d noticed: %s", WorldBug.SEEDS_MAX, bug)
                .isNotEmpty();
    }
}
