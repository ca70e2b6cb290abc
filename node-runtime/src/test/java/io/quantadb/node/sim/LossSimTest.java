package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command.PromoteKind;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.common.Lsn;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Where something may be lost: in mode {@code async}, and by an operator who forces a failover. No more is lost than what
 * whoever is promoted had not got, nothing in modes {@code quorum} and {@code all} without an operator's word, whether the
 * rule has shrunk or not; and what is lost does not come back.
 */
class LossSimTest {
    private static final long CHAOS_MS = WorldBug.CHAOS_MS;

    static LongStream seeds() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Math.max(1, Integer.getInteger("sim.runs", 200) / 10));
    }

    @ParameterizedTest(name = "loose={0}")
    @MethodSource("seeds")
    void losesInModeAsyncWhatNobodyElseHadAndNothingElse(long seed) {
        holds(seed, SimRun.loose(seed, new ProtocolRules(), new SimBugs()));
    }

    @ParameterizedTest(name = "forced={0}")
    @MethodSource("seeds")
    void losesByForceWhatTheOperatorWasToldAndServesAgain(long seed) {
        holds(seed, SimRun.forced(seed, new ProtocolRules(), new SimBugs()));
    }

    private static void holds(long seed, SimRun run) {
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    /** What may be lost is lost now and then, or these runs show nothing. */
    @Test
    void someRunsLoseSomethingByEitherRight() {
        // When
        boolean byItself = someRunLoses(SimRun::loose, PromoteKind.ASYNC);
        boolean byForce = someRunLoses(SimRun::forced, PromoteKind.FORCED);

        // Then
        assertThat(byItself).isTrue();
        assertThat(byForce).isTrue();
    }

    private static boolean someRunLoses(WorldBug.World world, PromoteKind right) {
        boolean lost = false;
        for (long seed = 0; seed < WorldBug.SEEDS_MAX && !lost; seed++) {
            Oracle oracle = world.of(seed, new ProtocolRules(), new SimBugs()).all(CHAOS_MS).world.oracle;
            lost = oracle.lost() > 0 && oracle.promotions.promoted(right) > 0;
        }
        return lost;
    }

    static Stream<WorldBug> bugs() {
        return Stream.of(async(), forced(), shrinking()).flatMap(b -> b);
    }

    private static Stream<WorldBug> async() {
        return Stream.of(
                new WorldBug("the first that answers is taken", SimRun::loose, "C: ", new ProtocolRules() {
                    @Override
                    public boolean heardOut(boolean all, boolean longEnough) {
                        return true;
                    }
                }),
                new WorldBug(
                        "one is taken that is behind another, where nobody was asked",
                        SimRun::loose,
                        "C: ",
                        new ProtocolRules() {
                            @Override
                            public boolean holdsFurthest(ClusterState state, Position end, Position best) {
                                return state.rule().k() == 0 || super.holdsFurthest(state, end, best);
                            }
                        }),
                new WorldBug(
                        "one is taken that is behind another of the rule",
                        SimRun::loose,
                        "INV1/A: ",
                        new ProtocolRules() {
                            @Override
                            public boolean holdsFurthest(ClusterState state, Position end, Position best) {
                                return state.rule().k() > 0 || super.holdsFurthest(state, end, best);
                            }
                        }));
    }

    private static Stream<WorldBug> forced() {
        return Stream.of(new WorldBug(
                "a failover is forced though one goes on by itself", SimRun::forced, "D: ", new ProtocolRules() {
                    @Override
                    public boolean mayForce(boolean goesOnByItself) {
                        return true;
                    }
                }));
    }

    private static Stream<WorldBug> shrinking() {
        return Stream.of(
                new WorldBug(
                        "a failover by itself, the rule having shrunk to nobody",
                        SimRun::forced,
                        "C: ",
                        new ProtocolRules() {
                            @Override
                            public boolean mayLoseByItself(ClusterState state) {
                                return state.rule().k() == 0;
                            }
                        }),
                new WorldBug("a smaller rule obeyed before it is finished", SimRun::forced, "INV", new SimBugs() {
                    @Override
                    Lsn voice(VoicePermit p, List<MemberStream> streams, Lsn ownFlush) {
                        Rule next = p.nextRule();
                        boolean smaller = next != null && next.k() < p.rule().k();
                        return super.voice(smaller ? only(p, next) : p, streams, ownFlush);
                    }
                }),
                new WorldBug("a larger rule not obeyed before it is finished", SimRun::forced, "INV", new SimBugs() {
                    @Override
                    Lsn voice(VoicePermit p, List<MemberStream> streams, Lsn ownFlush) {
                        Rule next = p.nextRule();
                        boolean larger = next != null && next.k() > p.rule().k();
                        return super.voice(larger ? only(p, p.rule()) : p, streams, ownFlush);
                    }
                }));
    }

    private static VoicePermit only(VoicePermit p, Rule rule) {
        return new VoicePermit(p.epoch(), p.version(), p.self(), rule, null);
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
