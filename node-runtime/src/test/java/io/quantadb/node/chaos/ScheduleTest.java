package io.quantadb.node.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScheduleTest {
    private static final int ROUND_MS = 60_000;

    @TempDir
    Path dir;

    private static Schedule draw(long seed, int round) {
        return Schedule.draw(seed, round, ROUND_MS, 1500, Strikes.ALL);
    }

    @Test
    void theSameSeedGivesTheSameStrikesAndAnotherOneOthers() {
        // When / Then
        for (int round = 0; round < 5; round++) {
            assertThat(draw(7, round)).isEqualTo(draw(7, round));
            assertThat(draw(7, round).steps()).isNotEqualTo(draw(8, round).steps());
        }
        assertThat(draw(7, 0).steps()).isNotEqualTo(draw(7, 1).steps());
    }

    @Test
    void strikesBeginInOrderAndEndWithinTheRound() {
        for (long seed = 0; seed < 50; seed++) {
            // When
            List<Step> steps = draw(seed, 0).steps();

            // Then
            assertThat(steps).isSortedAccordingTo((a, b) -> Long.compare(a.atMs(), b.atMs()));
            assertThat(steps).allSatisfy(step -> {
                assertThat(step.atMs()).isBetween(0L, (long) ROUND_MS);
                assertThat(step.atMs() + step.forMs()).isLessThanOrEqualTo(ROUND_MS);
            });
        }
    }

    @Test
    void strikesComeAboutAsOftenAsAskedAndEveryKindDoes() {
        // When
        List<Step> steps = IntStream.range(0, 50)
                .mapToObj(round -> draw(3, round))
                .flatMap(schedule -> schedule.steps().stream())
                .toList();

        // Then one in 1500 ms
        assertThat(steps.size()).isBetween(50 * ROUND_MS / 1500 * 9 / 10, 50 * ROUND_MS / 1500 * 11 / 10);
        assertThat(steps.stream().map(Step::strike).distinct())
                .containsExactlyInAnyOrderElementsOf(
                        Strikes.ALL.stream().map(Strike::label).toList());
    }

    @Test
    void everyNodeAndEveryLinkCanBeHit() {
        // When
        Set<Integer> nodes = new HashSet<>();
        Set<Link> links = new HashSet<>();
        for (int pick = 0; pick < 20; pick++) {
            for (int other = 0; other < 20; other++) {
                Aim aim = new Aim(Role.ANY, pick, other);
                int node = aim.node(1, 3);
                nodes.add(node);
                links.add(new Link(node, aim.other(node, 3)));
            }
        }

        // Then
        assertThat(nodes).containsExactlyInAnyOrder(0, 1, 2);
        assertThat(links).containsExactlyInAnyOrderElementsOf(Link.all(3));
    }

    @Test
    void anAimFollowsTheRoleAtTheMomentOfTheStrike() {
        // When / Then
        assertThat(new Aim(Role.PRIMARY, 0, 0).node(2, 3)).isEqualTo(2);
        assertThat(new Aim(Role.PRIMARY, 4, 0).node(-1, 3)).isEqualTo(1);
        assertThat(IntStream.range(0, 10).map(pick -> new Aim(Role.STANDBY, pick, 0).node(2, 3)))
                .containsOnly(0, 1);
    }

    @Test
    void knowsItsKindsByNameAndSaysWhichThereAre() {
        // When / Then
        assertThat(Strikes.named(List.of("kill-node", "delay-node")))
                .extracting(Strike::label)
                .containsExactly("delay-node", "kill-node");
        assertThat(Strikes.named(List.of())).isEqualTo(Strikes.ALL);
        assertThat(Strikes.ALL).extracting(Strike::label).doesNotHaveDuplicates();
        assertThatThrownBy(() -> Strikes.named(List.of("earthquake")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("there is no action 'earthquake'")
                .hasMessageContaining("cut-link");
    }

    @Test
    void readsItsSettingsAndRefusesNonsense() {
        // When
        ChaosSettings settings = ChaosSettings.of(
                Map.of("MINUTES", "60", "SEED", "", "ACTIONS", "cut-link, kill-node", "QUANTADB_COMMIT", "abc"), 42);

        // Then
        assertThat(settings.minutes()).isEqualTo(60);
        assertThat(settings.seed()).isEqualTo(42);
        assertThat(settings.actions()).containsExactly("cut-link", "kill-node");
        assertThat(settings.fingerprint())
                .contains("actions=cut-link+kill-node")
                .endsWith("commit=abc");
        assertThatThrownBy(() -> ChaosSettings.of(Map.of("MINUTES", "0"), 1)).hasMessageContaining("MINUTES=0");
        assertThatThrownBy(() -> ChaosSettings.of(Map.of("WRITERS", "x"), 1)).hasMessageContaining("WRITERS=x");
        assertThatThrownBy(() -> ChaosSettings.of(Map.of("SEED", "a389bd0"), 1)).hasMessageContaining("SEED=a389bd0");
        assertThatThrownBy(() -> ChaosSettings.of(Map.of("KEEP", "perhaps"), 1)).hasMessageContaining("KEEP=perhaps");
    }

    @Test
    void goesOnBehindTheRoundsThatAreWrittenDown() throws Exception {
        // Given
        RoundResult first = result(0, "a", 0);
        RoundResult second = result(1, "a", 0);
        first.append(dir);
        result(0, "b", 0).append(dir);
        second.append(dir);
        Files.writeString(RoundResult.file(dir, 5), "{\"seed\":5,\"round\":2,", StandardOpenOption.APPEND);

        // When
        List<RoundResult> found = RoundResult.read(dir, 5, "a", 0);

        // Then
        assertThat(found).containsExactly(first, second);
        assertThat(RoundResult.read(dir, 6, "a", 0)).isEmpty();
        assertThat(RoundResult.read(dir, 5, "a", 1)).containsExactly(second);
    }

    @Test
    void addsTheRoundsUpAndIsGoodOnlyWhenAllAre() {
        // Given
        ChaosSettings settings = ChaosSettings.of(Map.of("SEED", "5"), 1);

        // When
        ChaosResult good = new ChaosResult(settings, Map.of(), List.of(result(0, "a", 0), result(1, "a", 0)));
        ChaosResult bad = new ChaosResult(settings, Map.of(), List.of(result(0, "a", 0), result(1, "a", 2)));

        // Then
        assertThat(good.good()).isTrue();
        assertThat(good.json().path("acknowledged").asLong()).isEqualTo(200);
        assertThat(good.json().at("/actions/cut-link").asInt()).isEqualTo(6);
        assertThat(good.summary())
                .startsWith("chaos: good: seed 5, 2 rounds, 6 strikes; acknowledged 200,")
                .contains("lost 0 (and 0 while async), phantom 0")
                .endsWith("repeat with: make chaos SEED=5 MINUTES=2");
        assertThat(bad.good()).isFalse();
        assertThat(bad.json().path("lost").asLong()).isEqualTo(2);
        assertThat(bad.summary()).contains("NOT GOOD").contains("lost 2 ");
        assertThat(new ChaosResult(settings, Map.of(), List.of()).good()).isFalse();
    }

    private static RoundResult result(int round, String fingerprint, long lost) {
        return new RoundResult(
                5,
                round,
                fingerprint,
                55.5,
                Map.of("cut-link", 3),
                Map.of("kill-node", 1),
                100,
                2,
                3,
                lost,
                0,
                0,
                0,
                0,
                4,
                0,
                812,
                300,
                true,
                "100 12345",
                List.of());
    }
}
