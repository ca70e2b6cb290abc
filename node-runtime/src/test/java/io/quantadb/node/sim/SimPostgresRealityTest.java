package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.sim.ServerPair.Fate;
import io.quantadb.node.sim.ServerPair.Mode;
import io.quantadb.node.sim.ServerPair.Seen;
import io.quantadb.node.sim.ServerPair.Step;
import io.quantadb.node.testing.PostgresVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The simulation is worth as much as its model of PostgreSQL: the same short schedules on the model and on real servers,
 * compared after each step. Where they differ, a test of its own says how, and why it is safe.
 */
@Tag("postgres")
final class SimPostgresRealityTest {
    private static final Duration LONG = Duration.ofSeconds(45);
    private static final boolean IMMEDIATE = true;
    private static final boolean FAST = false;

    private static final Map<String, List<Step>> SCHEDULES = schedules();

    private static Map<String, List<Step>> schedules() {
        Map<String, List<Step>> all = new LinkedHashMap<>();
        all.put(
                "a commit waits until the voice has passed it, and is shown on the standby before",
                List.of(commit("a"), opens(), reports("a"), commit("b"), commit("c"), reports("b"), reports("c")));
        all.put(
                "the voice closes and opens, and remembers nothing that was not reported",
                List.of(
                        opens(),
                        commit("a"),
                        reports("a"),
                        closes(),
                        commit("b"),
                        opens(),
                        commit("c"),
                        reports("a"),
                        reports("c")));
        all.put(
                "a cancelled wait is visible and never acknowledged, the older one goes on waiting",
                List.of(opens(), commit("a"), commit("b"), cancel(), reports("a"), commit("c"), cancel(), closes()));
        all.put(
                "a commit that does not wait leaves those that do waiting",
                List.of(opens(), commit("a"), new Step.CommitUnwaited("b"), commit("c"), reports("c")));
        all.put(
                "an immediate restart shows what nobody acknowledged, and forgets the voice",
                List.of(
                        opens(),
                        commit("a"),
                        reports("a"),
                        commit("b"),
                        stop(0, IMMEDIATE),
                        startPrimary(0),
                        commit("c"),
                        opens(),
                        reports("c")));
        all.put(
                "a fast restart ends what waits without an answer, and keeps it",
                List.of(
                        opens(),
                        commit("a"),
                        reports("a"),
                        commit("b"),
                        stop(0, FAST),
                        startPrimary(0),
                        opens(),
                        commit("c"),
                        reports("c")));
        all.put(
                "a killed server keeps what it flushed",
                List.of(opens(), commit("a"), reports("a"), commit("b"), kill(0), startPrimary(0), commit("c")));
        all.put(
                "a standby that stops and starts, or is killed, catches up",
                List.of(
                        commit("a"),
                        new Step.StopFollowing(1),
                        commit("b"),
                        new Step.Follow(1),
                        stop(1, FAST),
                        commit("c"),
                        startStandby(1),
                        kill(1),
                        commit("d"),
                        startStandby(1)));
        all.put(
                "a promotion skips timelines, and the old primary follows it",
                List.of(
                        opens(),
                        commit("a"),
                        reports("a"),
                        commit("b"),
                        kill(0),
                        new Step.Promote(1, 4),
                        commit("c"),
                        opens(),
                        reports("c"),
                        startStandby(0),
                        new Step.Follow(0),
                        commit("d")));
        all.put(
                "a fast stop ends only when the standby has all, and what was primary follows it",
                List.of(
                        opens(),
                        commit("a"),
                        reports("a"),
                        commit("b"),
                        stop(0, FAST),
                        new Step.Promote(1, 2),
                        commit("c"),
                        startStandby(0),
                        new Step.Follow(0),
                        commit("d")));
        all.put(
                "what only the old primary had is found to diverge",
                List.of(
                        opens(),
                        commit("a"),
                        reports("a"),
                        new Step.StopFollowing(1),
                        commit("b"),
                        kill(0),
                        new Step.Promote(1, 3),
                        commit("c")));
        all.put(
                "a cancelled wait that the standby never got does not survive its promotion",
                List.of(
                        opens(),
                        commit("a"),
                        reports("a"),
                        new Step.StopFollowing(1),
                        commit("b"),
                        cancel(),
                        stop(0, IMMEDIATE),
                        new Step.Promote(1, 2),
                        opens(),
                        commit("c"),
                        reports("c")));
        all.put(
                "two promotions there and back, each with a gap",
                List.of(
                        commit("a"),
                        kill(0),
                        new Step.Promote(1, 3),
                        commit("b"),
                        startStandby(0),
                        new Step.Follow(0),
                        commit("c"),
                        kill(1),
                        new Step.Promote(0, 6),
                        commit("d"),
                        startStandby(1),
                        new Step.Follow(1)));
        for (long seed = 1; seed <= 2; seed++) {
            all.put("seed " + seed, random(seed));
        }
        return all;
    }

    private static Step commit(String label) {
        return new Step.Commit(label);
    }

    private static Step opens() {
        return new Step.VoiceOpens();
    }

    private static Step closes() {
        return new Step.VoiceCloses();
    }

    private static Step reports(String label) {
        return new Step.VoiceReports(label);
    }

    private static Step cancel() {
        return new Step.CancelWait();
    }

    private static Step stop(int server, boolean immediate) {
        return new Step.Stop(server, immediate);
    }

    private static Step kill(int server) {
        return new Step.Kill(server);
    }

    private static Step startPrimary(int server) {
        return new Step.StartPrimary(server);
    }

    private static Step startStandby(int server) {
        return new Step.StartStandby(server);
    }

    /** Ten steps that make sense one after another: commits, the voice, and restarts of either server. */
    private static List<Step> random(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Step> steps = new ArrayList<>();
        boolean open = false;
        int waiting = 0;
        int labels = 0;
        while (steps.size() < 10) {
            int what = random.nextInt(10);
            if (what < 4) {
                steps.add(commit("s" + labels++));
                waiting++;
            } else if (what < 6 && labels > 0 && open) {
                steps.add(reports("s" + (labels - 1)));
                waiting = 0;
            } else if (what == 6 && waiting > 0) {
                steps.add(cancel());
                waiting--;
            } else if (what == 7) {
                steps.add(open ? closes() : opens());
                open = !open;
            } else if (what == 8) {
                steps.add(random.nextBoolean() ? kill(0) : stop(0, random.nextBoolean()));
                steps.add(startPrimary(0));
                open = false;
                waiting = 0;
            } else if (what == 9) {
                steps.add(stop(1, random.nextBoolean()));
                steps.add(startStandby(1));
            }
        }
        return steps;
    }

    static Stream<Arguments> cases() {
        return SCHEDULES.keySet().stream()
                .flatMap(name -> Stream.of(PostgresVersion.values())
                        .filter(v -> !name.equals(v == PostgresVersion.V15 ? "seed 2" : "seed 1"))
                        .map(v -> Arguments.of(name, v)));
    }

    @ParameterizedTest(name = "{0} ({1})")
    @MethodSource("cases")
    void theModelShowsWhatPostgresShows(String name, PostgresVersion version) {
        // Given
        try (ModelPair model = new ModelPair(name.hashCode());
                RealPair real = new RealPair(version)) {
            same("at the start", model, real);
            for (Step step : SCHEDULES.get(name)) {
                // When
                model.carryOut(step);
                real.carryOut(step);

                // Then
                same("after " + step, model, real);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void aFastStopReachesTheStandbyWithItsLastRecord(PostgresVersion version) {
        // Given a primary with a standby that has everything
        try (ModelPair model = new ModelPair(1);
                RealPair real = new RealPair(version)) {
            same("at the start", model, real);

            // When it is stopped in order, and the standby promoted
            for (Step step : List.of(commit("a"), stop(0, FAST), new Step.Promote(1, 2))) {
                model.carryOut(step);
                real.carryOut(step);
            }

            // Then its shutdown record was sent first, so that it may follow where a failover would have it cloned
            assertThat(model.seen().servers().get(0).diverged()).isFalse();
            assertThat(real.seen().servers().get(0).diverged()).isFalse();
            assertThat(real.seen().servers().get(1))
                    .isEqualTo(model.seen().servers().get(1));
        }
    }

    /** Why the voice is bound by the server's own flush, in the model as in the product. */
    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void aServerBelievesAReportBeyondItsOwnEndUntilItIsRestarted(PostgresVersion version) {
        try (RealPair real = new RealPair(version)) {
            // Given a voice that said too much once, and is gone
            real.carryOut(opens());
            real.reportBeyondTheEnd();
            real.carryOut(closes());

            // When a client commits
            real.carryOut(commit("a"));

            // Then it does not wait for anybody
            assertThat(real.seen().fates()).containsEntry("a", Fate.ACKNOWLEDGED);

            // When the server is restarted
            real.carryOut(stop(0, FAST));
            real.carryOut(startPrimary(0));
            real.carryOut(commit("b"));

            // Then it waits again
            assertThat(real.seen().fates()).containsEntry("b", Fate.WAITING);
            assertThat(real.seen().servers().get(0).mode()).isEqualTo(Mode.PRIMARY);
        }
    }

    private static void same(String when, ModelPair model, RealPair real) {
        Seen expected = model.seen();
        await().atMost(LONG)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(real.seen()).as(when).isEqualTo(expected));
    }
}
