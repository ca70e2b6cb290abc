package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.common.PeerId;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clusters whose nodes are of several releases, each of which writes what the one before it cannot read. */
class UpgradingSimTest {
    private static final long CHAOS_MS = 6_000;
    private static final int SEEDS_MAX = 200;

    static LongStream seeds() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Math.max(1, Integer.getInteger("sim.runs", 200) / 10));
    }

    @ParameterizedTest(name = "upgrading={0}")
    @MethodSource("seeds")
    void losesNothingGivesNobodyWhatItCannotReadAndEndsAtWhatAllRead(long seed) {
        SimRun run = SimRun.upgrading(seed, new ProtocolRules(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    record Bug(String name, ProtocolRules rules, SimBugs bugs) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Bug> bugs() {
        return Stream.of(
                new Bug("a leader that writes what its own release can", new ProtocolRules(), new SimBugs() {
                    @Override
                    int writtenVersion(int clusterVersion, int release) {
                        return release;
                    }
                }),
                new Bug(
                        "a member that is silent taken for one that reads it",
                        new ProtocolRules() {
                            @Override
                            public int versionForAll(Set<PeerId> members, Map<PeerId, Integer> reads) {
                                return reads.values().stream()
                                        .mapToInt(v -> v)
                                        .min()
                                        .orElse(0);
                            }
                        },
                        new SimBugs()),
                new Bug(
                        "a node let in that reads less",
                        new ProtocolRules() {
                            @Override
                            public boolean letsIn(int reads, int needed) {
                                return true;
                            }
                        },
                        new SimBugs()),
                new Bug(
                        "a version raised although others are members by then",
                        new ProtocolRules() {
                            @Override
                            public boolean askedAll(ClusterState state, Set<PeerId> asked) {
                                return true;
                            }
                        },
                        new SimBugs()));
    }

    @ParameterizedTest
    @MethodSource("bugs")
    void eachGuardTakenAwayIsNoticed(Bug bug) {
        String noticed = "";
        for (long seed = 0; seed < SEEDS_MAX && noticed.isEmpty(); seed++) {
            noticed = notice(seed, bug);
        }
        assertThat(noticed).contains("version: ");
    }

    private static String notice(long seed, Bug bug) {
        try {
            SimRun.upgrading(seed, bug.rules(), bug.bugs()).chaos(CHAOS_MS);
            return "";
        } catch (AssertionError e) {
            return String.valueOf(e.getMessage());
        }
    }
}
