package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.CoordMessage;
import io.quantadb.node.cluster.LocalStatus;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.sim.MutationSimTest.Mutation;
import io.quantadb.node.sim.invariants.ServesAgain;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@link MutationSimTest} for the guards of a switchover, searched for where the primary moves all the time. */
class SwitchoverMutationSimTest {
    static Stream<Mutation> switchovers() {
        return Stream.of(
                rules("an heir promoted that lacks what the old primary has", new ProtocolRules() {
                    @Override
                    public boolean holdsAllOf(Position primaryEnd, Position end) {
                        return true;
                    }
                }),
                rules("a primary taken at its word before it has stopped", new ProtocolRules() {
                    @Override
                    public Position stoppedAt(LocalStatus primary) {
                        return new Position(primary.timeline(), primary.flushed());
                    }

                    @Override
                    public Position endOfPrimary(Position reported, CoordMessage.FreezeReply frozen) {
                        return reported;
                    }
                }));
    }

    private static Mutation rules(String name, ProtocolRules rules) {
        return new Mutation(name, rules, new SimBugs());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("switchovers")
    void isNoticedBySomeSeedWhereThePrimaryMoves(Mutation m) {
        // When
        String seen = firstWhereThePrimaryMoves(m);

        // Then
        assertThat(seen)
                .as("no moving seed below %d noticed: %s", MutationSimTest.SEEDS_MAX, m)
                .isNotEmpty();
    }

    /** Clients may wait for ever then, and a primary be stopped late on the word of a leader that is gone. */
    @Test
    void someSeedNoticesAHoldThatOutlivesItsLeader() {
        // Given
        ProtocolRules rules = new ProtocolRules() {
            @Override
            public boolean mayHold(long nowNanos, long untilNanos, boolean sameTerm) {
                return true;
            }
        };

        // When
        String seen = "";
        for (long seed = 0; seed < MutationSimTest.SEEDS_MAX && seen.isEmpty(); seed++) {
            seen = stopped(seed, rules);
        }

        // Then
        assertThat(seen)
                .as("no moving seed below %d noticed", MutationSimTest.SEEDS_MAX)
                .isNotEmpty();
    }

    private static String stopped(long seed, ProtocolRules rules) {
        try {
            SimRun.moving(seed, rules, new SimBugs()).all(MutationSimTest.CHAOS_MS);
            return "";
        } catch (AssertionError e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static String firstWhereThePrimaryMoves(Mutation m) {
        for (long seed = 0; seed < MutationSimTest.SEEDS_MAX; seed++) {
            try {
                SimRun.moving(seed, m.rules(), m.bugs()).chaos(MutationSimTest.CHAOS_MS);
            } catch (AssertionError e) {
                if (!ServesAgain.reported(e)) {
                    return "seed " + seed + ": " + e.getMessage();
                }
            }
        }
        return "";
    }
}
