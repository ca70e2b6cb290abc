package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.Action.AdminVerdict;
import io.quantadb.node.cluster.SwitchoverReport;
import io.quantadb.node.cluster.SwitchoverReport.Phase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code /cluster/switchover} takes and answers. */
class SwitchoverApiTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "api");
    private static final Caller ADMIN = new Caller("admin", Caller.Role.OPERATOR);
    private static final SwitchoverReport DONE = new SwitchoverReport(
            -2,
            Phase.DONE,
            TestingViews.NODE1,
            TestingViews.NODE2,
            8,
            "",
            143,
            402,
            List.of(
                    new SwitchoverReport.Step("prepare", 259),
                    new SwitchoverReport.Step("hold", 9),
                    new SwitchoverReport.Step("stop", 61)));

    private static final Switchovers.Begun BEGUN = new Switchovers.Begun(
            new Administrator.Outcome(AdminVerdict.ACCEPTED, "node2"),
            new SwitchoverReport(
                    -2,
                    Phase.PREPARING,
                    TestingViews.NODE1,
                    TestingViews.NODE2,
                    7,
                    "a checkpoint on node1, and node2 close behind it",
                    -1,
                    0));

    private final Switching switching = new Switching();
    private final ApiRouter router = new ApiRouter(new ApiServer.Answers(
            TestingViews::primary,
            Probes.of(TestingViews::primary),
            Founder.none("no"),
            Administrator.none(),
            switching,
            Gatekeeper.readOnly()));

    @ParameterizedTest(name = "{0}")
    @CsvSource({"begun,202", "refused,409", "busy,503", "unanswered,503"})
    void answersARequestAsTheGoldenFileSays(String what, int status) throws IOException {
        // Given
        switching.first = switch (what) {
            case "begun" -> BEGUN;
            case "refused" -> not(AdminVerdict.REFUSED, "node2 is in maintenance");
            case "busy" -> not(AdminVerdict.NOT_NOW, "a failover is under way");
            default -> not(AdminVerdict.NOT_LEADER, "no leader answers");
        };

        // When
        ApiRouter.Answer answer =
                post("{\"target\": \"node2\", \"timeout\": \"10s\", \"drain\": \"50ms\", \"epoch\": 7}");

        // Then
        assertGolden("switchover-" + what, answer, status);
        assertThat(switching.asked)
                .containsExactly(
                        new Switchovers.Wanted(TestingViews.NODE2, Duration.ofSeconds(10), Duration.ofMillis(50), 7L));
    }

    @Test
    void tellsTheLastOneOrTheOneThatIsNamed() throws IOException {
        // Given
        ApiRouter.Answer none = router.answer("/cluster/switchover");
        switching.last = DONE;

        // When
        ApiRouter.Answer last = router.answer("/cluster/switchover");
        ApiRouter.Answer named = router.answer("/cluster/switchover?id=18446744073709551614");
        ApiRouter.Answer unknown = router.answer("/cluster/switchover?id=1");
        ApiRouter.Answer odd = router.answer("/cluster/switchover?id=x");

        // Then
        assertGolden("switchover-none", none, 200);
        assertGolden("switchover-done", last, 200);
        assertThat(named.body()).isEqualTo(last.body());
        assertThat(List.of(unknown.status().code(), odd.status().code())).containsOnly(404);
    }

    @ParameterizedTest(name = "body {index}")
    @CsvSource(
            delimiter = ';',
            value = {
                "[]",
                "{\"target\":7}",
                "{\"target\":\"a b\"}",
                "{\"timeout\":30}",
                "{\"timeout\":\"30\"}",
                "{\"timeout\":\"0ms\"}",
                "{\"timeout\":\"2h\"}",
                "{\"drain\":\"61s\"}",
                "{\"epoch\":0}",
                "{\"epoch\":\"7\"}",
                "{\"target\":\"node2\",\"force\":\"true\"}",
                "{\"target\":\"node2\"} x",
                "{\"target\":\"node2\""
            })
    void refusesABodyThatIsNoRequest(String body) {
        // When
        ApiRouter.Answer answer = post(body);

        // Then
        assertThat(answer.status().code()).isEqualTo(400);
        assertThat(switching.asked).isEmpty();
    }

    @ParameterizedTest(name = "body {index}")
    @CsvSource(
            delimiter = ';',
            value = {"''", "{}", "{\"target\":\"\"}"})
    void asksForTheBestNodeWhenNoneIsNamed(String body) {
        // Given
        switching.first = BEGUN;

        // When
        ApiRouter.Answer answer = post(body);

        // Then
        assertThat(answer.status().code()).isEqualTo(202);
        assertThat(switching.asked)
                .containsExactly(new Switchovers.Wanted(null, Duration.ofSeconds(30), Duration.ofMillis(250), null));
    }

    private static Switchovers.Begun not(AdminVerdict verdict, String words) {
        return new Switchovers.Begun(new Administrator.Outcome(verdict, words), null);
    }

    private ApiRouter.Answer post(String body) {
        return router.change("/cluster/switchover", body.getBytes(StandardCharsets.UTF_8), ADMIN)
                .join();
    }

    private static void assertGolden(String name, ApiRouter.Answer answer, int status) throws IOException {
        Path golden = GOLDEN.resolve(name + ".json");
        String body = new String(answer.body(), StandardCharsets.UTF_8);
        if (Boolean.getBoolean("quantadb.docs.write")) {
            Files.writeString(golden, body);
        }
        assertThat(answer.status().code()).isEqualTo(status);
        assertThat(body).isEqualTo(Files.readString(golden));
    }

    private static final class Switching implements Switchovers {
        private final List<Wanted> asked = new ArrayList<>();
        private Begun first = BEGUN;
        private @Nullable SwitchoverReport last;

        @Override
        public CompletableFuture<Begun> begin(Wanted wanted, String caller) {
            asked.add(wanted);
            return CompletableFuture.completedFuture(first);
        }

        @Override
        public @Nullable SwitchoverReport last() {
            return last;
        }

        @Override
        public Optional<SwitchoverReport> byId(long id) {
            return Optional.ofNullable(last).filter(r -> r.id() == id);
        }
    }
}
