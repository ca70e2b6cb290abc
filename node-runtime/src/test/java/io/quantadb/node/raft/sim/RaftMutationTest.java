package io.quantadb.node.raft.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.HardState;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.raft.RaftRules;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The simulation can fail: with one rule taken away, some seed out of a bounded search goes red. No seed is chosen
 * for a rule; every search begins at 0 and the same seeds pass with the rules in place.
 */
class RaftMutationTest {
    private static final int SEEDS_MAX = 3_000;
    private static final int MIXED_SEEDS = 500;
    private static final int RETIMING_SEEDS = 1_000;
    private static final int UPHEAVALS = 800;
    private static final long UPHEAVAL_MS = 2_000;
    private static final long STORM_MS = 10_000;
    private static final long CHAOS_MS = 5_000;

    static Stream<Arguments> brokenRules() {
        return Stream.of(
                Arguments.of("vote not persisted", new RaftRules() {
                    @Override
                    public HardState persisted(HardState s) {
                        return new HardState(s.term(), null, s.disowned());
                    }
                }),
                Arguments.of("two votes in a term", new RaftRules() {
                    @Override
                    public boolean mayVote(HardState state, PeerId candidate) {
                        return true;
                    }
                }),
                Arguments.of("commit counted from an older term", new RaftRules() {
                    @Override
                    public boolean countsForCommit(long entryTerm, long currentTerm) {
                        return true;
                    }
                }),
                Arguments.of("a configuration change before an own-term entry", new RaftRules() {
                    @Override
                    public boolean mayChangeMembership(boolean ownTermCommitted) {
                        return true;
                    }
                }),
                Arguments.of("lease measured after the reply", new RaftRules() {
                    @Override
                    public long leaseStart(long sentNanos, long repliedNanos) {
                        return repliedNanos;
                    }
                }),
                Arguments.of("an empty disk voting for its former self", new RaftRules() {
                    @Override
                    public boolean samePeer(PeerId a, PeerId b) {
                        return a.node().equals(b.node());
                    }
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenRules")
    void someSeedGoesRedWithoutTheRule(String rule, RaftRules broken) {
        // When
        long red = firstRedSeed(broken);

        // Then
        assertThat(red).as("no seed below %d noticed: %s", SEEDS_MAX, rule).isNotNegative();
    }

    /** What keeps leases apart while the members' timers differ, each taken away alone. */
    static Stream<Arguments> withoutWhatKeepsLeasesApart() {
        return Stream.of(
                Arguments.of(
                        "a lease longer than what was promised by those who wait",
                        new RaftRules() {
                            @Override
                            public long lent(long ownWaitNanos, long promisedNanos) {
                                return ownWaitNanos;
                            }
                        },
                        SimRetimes.OFTEN),
                Arguments.of(
                        "a campaign within what was promised with longer timers",
                        new RaftRules() {
                            @Override
                            public boolean mayCampaign(long nowNanos, long mayVoteFromNanos) {
                                return true;
                            }
                        },
                        SimRetimes.OFTEN),
                Arguments.of(
                        "a leader by transfer that waits no longer than its own timers say",
                        new RaftRules() {
                            @Override
                            public long awaited(long ownWaitNanos, long votersWaitNanos) {
                                return ownWaitNanos;
                            }
                        },
                        SimRetimes.OFTEN),
                Arguments.of(
                        "shorter timers on disk while longer promises hold",
                        new RaftRules(),
                        new SimRetimes(SimRetimes.OFTEN.everyMs(), SimRetimes.OFTEN.lateMs(), true)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("withoutWhatKeepsLeasesApart")
    void someSeedGoesRedWhileTimersChange(String bug, RaftRules rules, SimRetimes retimes) {
        // When
        String found = "";
        for (long seed = 0; seed < RETIMING_SEEDS && found.isEmpty(); seed++) {
            found = message(SimRun.retiming(seed, rules, retimes, STORM_MS));
        }

        // Then
        assertThat(found).as(bug).contains("lease exclusivity");
    }

    /** A node whose timers are not the others' is not even noticed, unless leases count on what nobody promised. */
    @Test
    void leasesHoldThoughANodeRunsWithShorterTimersOfItsOwn() {
        // Given
        RaftRules countsOnAll = new RaftRules() {
            @Override
            public long lent(long ownWaitNanos, long promisedNanos) {
                return ownWaitNanos;
            }
        };

        // When
        long red = -1;
        String found = "";
        while (found.isEmpty() && red < MIXED_SEEDS) {
            found = message(withAHastyNode(++red, countsOnAll));
        }
        String unbroken = message(withAHastyNode(red, new RaftRules()));

        // Then
        assertThat(found).contains("lease exclusivity");
        assertThat(unbroken).isEmpty();
    }

    private static SimRun withAHastyNode(long seed, RaftRules rules) {
        NodeId hasty = new NodeId("n0");
        return new SimRun(seed, rules, STORM_MS, SimProfile::storm, (node, c) -> node.equals(hasty) ? shorter(c) : c);
    }

    private static String message(SimRun run) {
        try {
            run.chaos();
            return "";
        } catch (AssertionError e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static RaftConfig shorter(RaftConfig c) {
        return RaftConfig.of(
                        c.electionMin().dividedBy(4),
                        c.electionMax().dividedBy(4),
                        c.heartbeat().dividedBy(4))
                .withLog(c.maxLogEntries(), c.keepEntries());
    }

    /** Safety alone is looked at: a mutant that merely stops working proves nothing. The short runs come first. */
    private static long firstRedSeed(RaftRules rules) {
        for (long seed = 0; seed < UPHEAVALS; seed++) {
            if (red(new SimRun(seed, rules, UPHEAVAL_MS, SimProfile::upheaval))) {
                return seed;
            }
        }
        for (long seed = 0; seed < SEEDS_MAX; seed++) {
            if (seed < MIXED_SEEDS && red(new SimRun(seed, rules, CHAOS_MS))) {
                return seed;
            }
            if (red(new SimRun(seed, rules, STORM_MS, SimProfile::storm))) {
                return seed;
            }
        }
        return -1;
    }

    private static boolean red(SimRun run) {
        try {
            run.chaos();
            return false;
        } catch (AssertionError | IllegalStateException e) {
            return true;
        }
    }
}
