package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.EpochRecord;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.sim.invariants.ServesAgain;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The simulation can fail: each guard of the protocol taken away is noticed by some seed of a bounded search that begins
 * at 0. No seed is chosen for a mutation, and the same seeds pass with the guard in its place. Safety alone is looked at:
 * a mutant that merely stops proves nothing.
 *
 * <p>Two rules are kept by two guards each, of which either is enough; those mutations take both away, and with one of
 * them in its place the same seeds show nothing (docs/adr/0019):
 *
 * <ul>
 *   <li><i>A timeline number reused.</i> The leader counts on from the highest number ever issued, and the state machine
 *       refuses a Promote that names the current number.
 *   <li><i>An old generation answering a freeze.</i> The leader counts only the generation that the rule names, and a
 *       data directory that is being replaced tells no end of WAL until it is whole. A whole clone that answered would do
 *       no harm: its primary had flushed all that this member ever acknowledged, so it holds that again.
 * </ul>
 *
 * <p><i>A rule entry not conditional on its version</i> does harm mostly in one order: Replace, and before that is
 * committed Finish or Release, by the primary's word that the half was satisfied which Replace takes away. R is then a
 * set of which nobody knows that it holds what was acknowledged. Most other pairs that one leader can have under way
 * meet further guards of the state machine (a change under way or none, the epoch released or not, epochs and timelines
 * only grow), and entries of different leaders never meet, since a leader decides nothing before it has applied what it
 * inherited. A whole world comes to it in one seed of some hundreds ({@link SimRun#stalling}), so this search, which has
 * to end soon, finds it by {@link LeaderRun}.
 */
class MutationSimTest {
    static final long CHAOS_MS = 6_000;
    static final long SLOW_MS = 12_000;
    static final int STEPS = 400;
    static final int SHORT_RUNS = 10;
    static final int SEEDS_MAX = 600;
    static final int STORMS = 100;

    record Mutation(String name, ProtocolRules rules, SimBugs bugs) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** A rule that two guards keep: both taken away, and either one. */
    record TwoGuards(Mutation both, Mutation one, Mutation other) {
        @Override
        public String toString() {
            return both.name();
        }
    }

    record Noticed(long seed, String what) {}

    static Stream<Mutation> mutations() {
        return Stream.of(rulesBroken(), modelBroken(), twoGuards().map(TwoGuards::both))
                .flatMap(m -> m);
    }

    static Stream<TwoGuards> twoGuards() {
        return Stream.of(timelineReused(), oldGeneration());
    }

    private static Stream<Mutation> rulesBroken() {
        return Stream.of(
                rules("freeze quorum one too small", new ProtocolRules() {
                    @Override
                    public int freezeQuorum(Rule governing) {
                        return Math.max(1, governing.freezeQuorum() - 1);
                    }
                }),
                rules("a divergent old primary allowed to stream", new ProtocolRules() {
                    @Override
                    public boolean onBranch(List<EpochRecord> history, int timeline, Position end) {
                        return true;
                    }
                }),
                rules("joint rule dropped before the new set has flushed", new ProtocolRules() {
                    @Override
                    public boolean nextSatisfied(
                            Rule next, MemberRef primary, Map<MemberRef, Lsn> flushed, Lsn waitedFor) {
                        return true;
                    }
                }),
                rules("P read before the joint rule is obeyed", new ProtocolRules() {
                    @Override
                    public boolean mayReadInsertPosition(long obeyedVersion, long version) {
                        return true;
                    }
                }),
                rules("a rule entry not conditional on its version", new ProtocolRules() {
                    @Override
                    public boolean conditionHolds(ClusterState state, Command.Condition on) {
                        return true;
                    }
                }),
                rules("a failover that begins in maintenance", new ProtocolRules() {
                    @Override
                    public boolean mayHoldBack(ClusterState state, boolean promised) {
                        return false;
                    }
                }),
                rules("a rule without anybody while others have data", new ProtocolRules() {
                    @Override
                    public boolean mayGoOnAlone(boolean othersAreLost) {
                        return true;
                    }
                }),
                rules("a front opened before Release", new ProtocolRules() {
                    @Override
                    public boolean mayOpen(ClusterState state) {
                        return true;
                    }
                }),
                rules("a rewind that keeps its old generation", new ProtocolRules() {
                    @Override
                    public long nextGeneration(boolean rewinds, long own, long known) {
                        return rewinds ? own : super.nextGeneration(rewinds, own, known);
                    }
                }),
                rules("a member removed while the rule names it", new ProtocolRules() {
                    @Override
                    public boolean mayLeave(ClusterState state, NodeId node) {
                        return true;
                    }
                }));
    }

    private static TwoGuards timelineReused() {
        String name = "a timeline number reused, since its epoch was never released";
        return new TwoGuards(
                rules(name, new ProtocolRules() {
                    @Override
                    public int nextTimeline(ClusterState state) {
                        return afterTheLastReleased(state);
                    }

                    @Override
                    public boolean mayKeepTimeline(ClusterState state, Command.Promote promote) {
                        return true;
                    }
                }),
                rules("a leader that counts on from the last released timeline", new ProtocolRules() {
                    @Override
                    public int nextTimeline(ClusterState state) {
                        return afterTheLastReleased(state);
                    }
                }),
                rules("a state machine that lets anybody keep the timeline", new ProtocolRules() {
                    @Override
                    public boolean mayKeepTimeline(ClusterState state, Command.Promote promote) {
                        return true;
                    }
                }));
    }

    private static int afterTheLastReleased(ClusterState state) {
        return state.history().stream()
                        .filter(EpochRecord::released)
                        .mapToInt(EpochRecord::timeline)
                        .max()
                        .orElse(0)
                + 1;
    }

    private static TwoGuards oldGeneration() {
        ProtocolRules anyGeneration = new ProtocolRules() {
            @Override
            public boolean answersFor(Rule governing, MemberRef answered) {
                return governing.set().stream().anyMatch(ref -> ref.node().equals(answered.node()));
            }
        };
        SimBugs partsAreData = new SimBugs() {
            @Override
            boolean interruptedCloneIsData() {
                return true;
            }
        };
        return new TwoGuards(
                new Mutation("an old generation answering a freeze", anyGeneration, partsAreData),
                new Mutation("answers counted whatever their generation", anyGeneration, new SimBugs()),
                new Mutation("a part of a clone taken for data", new ProtocolRules(), partsAreData));
    }

    private static Stream<Mutation> modelBroken() {
        return Stream.of(
                bugs("a promise lost in a restart", new SimBugs() {
                    @Override
                    long restoredPromise(long persisted) {
                        return 0;
                    }
                }),
                bugs("a position believed that was never delivered", new SimBugs() {
                    @Override
                    long believed(long reported, long delivered, long checked) {
                        return reported;
                    }
                }),
                bugs("two streams of one member counted twice", new SimBugs() {
                    @Override
                    Lsn voice(VoicePermit permit, List<MemberStream> streams, Lsn ownFlush) {
                        Lsn q = twice(permit.rule(), streams, ownFlush);
                        Rule next = permit.nextRule();
                        return next == null ? q : Lsn.min(q, twice(next, streams, ownFlush));
                    }
                }));
    }

    private static Lsn twice(Rule rule, List<SimBugs.MemberStream> streams, Lsn ownFlush) {
        List<Lsn> at = new ArrayList<>();
        streams.stream().filter(s -> rule.set().contains(s.member())).forEach(s -> at.add(s.flushed()));
        at.sort(Comparator.reverseOrder());
        return rule.k() == 0 ? ownFlush : at.size() < rule.k() ? Lsn.NONE : Lsn.min(ownFlush, at.get(rule.k() - 1));
    }

    private static Mutation rules(String name, ProtocolRules rules) {
        return new Mutation(name, rules, new SimBugs());
    }

    private static Mutation bugs(String name, SimBugs bugs) {
        return new Mutation(name, new ProtocolRules(), bugs);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mutations")
    void isNoticedBySomeSeed(Mutation m) {
        // When
        Noticed seen = firstNoticed(m, SEEDS_MAX);

        // Then
        assertThat(seen).as("no seed below %d noticed: %s", SEEDS_MAX, m).isNotNull();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("twoGuards")
    void isKeptByEitherOfItsTwoGuards(TwoGuards guards) {
        // Given
        Noticed both = firstNoticed(guards.both(), SEEDS_MAX);
        assertThat(both).isNotNull();

        // When
        Noticed one = firstNoticed(guards.one(), both.seed() + 1);
        Noticed other = firstNoticed(guards.other(), both.seed() + 1);

        // Then
        assertThat(one).as("noticed alone: %s", guards.one()).isNull();
        assertThat(other).as("noticed alone: %s", guards.other()).isNull();
    }

    /** The first seed from 0 on whose run breaks an invariant of safety; null when none of them does. */
    static @Nullable Noticed firstNoticed(Mutation m, long seeds) {
        for (long seed = 0; seed < seeds; seed++) {
            try {
                run(m, seed);
            } catch (AssertionError e) {
                if (!ServesAgain.reported(e)) {
                    return new Noticed(seed, String.valueOf(e.getMessage()));
                }
            }
        }
        return null;
    }

    /** Each seed decides runs of several sorts, {@value #SHORT_RUNS} of the shortest. */
    private static void run(Mutation m, long seed) {
        for (long leaders = seed * SHORT_RUNS; leaders < (seed + 1) * SHORT_RUNS; leaders++) {
            new LeaderRun(leaders, m.rules()).steps(STEPS);
        }
        SimRun.lagging(seed, m.rules(), m.bugs()).chaos(SLOW_MS);
        SimRun.of(seed, m.rules(), m.bugs()).chaos(CHAOS_MS);
        SimRun.restless(seed, m.rules(), m.bugs()).chaos(CHAOS_MS);
        if (seed < STORMS) {
            SimRun.storm(seed, m.rules(), m.bugs()).chaos(CHAOS_MS);
        }
    }

    /** The search by hand, with the seed and the time that each one took. */
    public static void main(String[] args) {
        String only = args.length > 0 ? args[0] : "";
        mutations().filter(m -> m.name().contains(only)).forEach(m -> {
            long start = System.nanoTime();
            Noticed seen = firstNoticed(m, SEEDS_MAX);
            System.out.printf("%s -> %s (%d ms)%n", m, seen, (System.nanoTime() - start) / 1_000_000);
        });
    }
}
