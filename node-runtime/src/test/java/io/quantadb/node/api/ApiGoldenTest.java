package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.common.EventBook;
import io.quantadb.node.common.Lsn;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bodies of every endpoint, for a primary, a replica and a node without a leader. */
class ApiGoldenTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "api");

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({
        "primary,status,200", "primary,nodes,200", "primary,health,200",
        "replica,status,200", "replica,nodes,200", "replica,health,200",
        "no-leader,status,200", "no-leader,nodes,200", "no-leader,health,503",
        "blank,status,200", "starting,status,200", "primary,settings,200"
    })
    void answersAsTheGoldenFileSays(String who, String what, int status) throws IOException {
        // Given
        ClusterView view = switch (who) {
            case "primary" -> TestingViews.primary();
            case "replica" -> TestingViews.replica();
            case "blank" -> TestingViews.blank();
            case "starting" -> TestingViews.starting();
            default -> TestingViews.noLeader();
        };
        Path golden = GOLDEN.resolve(who + "-" + what + ".json");

        // When
        ApiRouter.Answer answer =
                new ApiRouter(() -> view, Probes.of(() -> view), Founder.none("no")).answer("/cluster/" + what);

        // Then
        assertGolden(golden, answer, status);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"exists,200", "underway,202", "refused,409", "not-yet,503"})
    void answersAPermissionAsTheGoldenFileSays(String what, int status) throws IOException {
        // Given
        Founder.Outcome outcome = switch (what) {
            case "exists" -> new Founder.Outcome.Exists("u-1.00000000000000ff", -2, true);
            case "underway" -> new Founder.Outcome.Underway();
            case "refused" -> new Founder.Outcome.Refused("these listed peers are silent: node2:6432", "start them");
            default -> new Founder.Outcome.NotYet("another permission is being looked at by this node");
        };
        ApiRouter router = new ApiRouter(
                TestingViews::primary,
                Probes.of(TestingViews::primary),
                (uid, caller) -> CompletableFuture.completedFuture(outcome));

        // When
        ApiRouter.Answer answer = router.change(
                        "/cluster/bootstrap",
                        "{\"cluster\": \"u-1\"}".getBytes(StandardCharsets.UTF_8),
                        new Caller("admin", Caller.Role.OPERATOR))
                .join();

        // Then
        assertGolden(GOLDEN.resolve("bootstrap-" + what + ".json"), answer, status);
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({"primary,readyz,200", "no-leader,readyz,503", "primary,livez,200", "no-leader,startupz,503"})
    void answersProbesAsTheGoldenFileSays(String who, String what, int status) throws IOException {
        // Given
        ClusterView view = who.equals("primary") ? TestingViews.primary() : TestingViews.noLeader();

        // When
        ApiRouter.Answer answer =
                new ApiRouter(() -> view, Probes.of(() -> view), Founder.none("no")).answer("/" + what);

        // Then
        assertGolden(GOLDEN.resolve(who + "-" + what + ".json"), answer, status);
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({
        "primary,health,200",
        "primary,sync-status,200",
        "primary,resync_stats,200",
        "replica,health,200",
        "replica,sync-status,421",
        "no-leader,health,503",
        "no-leader,sync-status,503"
    })
    void tellsHowTheOthersFollowAsTheGoldenFileSays(String who, String what, int status) throws IOException {
        // Given
        ClusterView view = switch (who) {
            case "primary" -> TestingViews.primary();
            case "replica" -> TestingViews.replica();
            default -> TestingViews.noLeader();
        };

        // When
        ApiRouter.Answer answer =
                new ApiRouter(() -> view, Probes.of(() -> view), Founder.none("no")).answer("/_raft/" + what);

        // Then
        assertGolden(GOLDEN.resolve(who + "-raft-" + what + ".json"), answer, status);
    }

    @Test
    void tellsWhatItKeepsOfWalThatTheClusterLeftBehindAsTheGoldenFileSays() throws IOException {
        // Given
        KeptSegments kept = new KeptSegments(
                Path.of("/var/lib/quantadb/diverged-wal/20261121T144501Z-timeline1-0_5000148"),
                Instant.parse("2026-11-21T14:45:01Z"),
                1,
                Lsn.parse("0/5000148"),
                Lsn.parse("0/63A1000"),
                2,
                2,
                2L << 24);
        ApiRouter router = new ApiRouter(new ApiServer.Answers(
                TestingViews::replica,
                Probes.of(TestingViews::replica),
                Founder.none("no"),
                Administrator.none(),
                Switchovers.none(),
                Gatekeeper.readOnly(),
                () -> List.of(kept)));

        // When
        ApiRouter.Answer answer = router.answer("/cluster/diverged-wal");

        // Then
        assertGolden(GOLDEN.resolve("replica-diverged-wal.json"), answer, 200);
    }

    @Test
    void tellsWhatHappenedAsTheGoldenFileSays() throws IOException {
        // Given
        EventBook book = new EventBook();
        Instant noon = Instant.parse("2026-11-21T12:00:00Z");
        book.add(noon, "INFO", "raft", "Transitioning to CANDIDATE state term=4");
        book.add(noon.plusMillis(150), "INFO", "raft", "Transitioning to LEADER state term=4");
        book.add(noon.plusMillis(180), "WARN", "failover", "the primary is not heard from epoch=7");
        ApiRouter router = new ApiRouter(new ApiServer.Answers(
                TestingViews::replica,
                Probes.of(TestingViews::replica),
                Founder.none("no"),
                Administrator.none(),
                Switchovers.none(),
                Gatekeeper.readOnly(),
                List::of,
                book));

        // When
        ApiRouter.Answer answer = router.answer("/cluster/events?limit=5&after=1");

        // Then
        assertGolden(GOLDEN.resolve("replica-events.json"), answer, 200);
        assertThat(router.answer("/cluster/events?limit=0").status().code()).isEqualTo(400);
        assertThat(router.answer("/cluster/events?after=x").status().code()).isEqualTo(400);
    }

    @ParameterizedTest(name = "{3}")
    @CsvSource({
        "node3,ACCEPTED,202,resync-accepted",
        "localhost:8434,ACCEPTED,202,resync-by-address",
        "node1,REFUSED,409,resync-refused",
        "node9,ACCEPTED,404,resync-stranger",
        "'',ACCEPTED,400,resync-nobody"
    })
    void answersWhoWantsAMemberCopiedAnewAsTheGoldenFileSays(
            String target, Action.AdminVerdict verdict, int status, String file) throws IOException {
        // Given
        List<AdminRequest> asked = new ArrayList<>();
        Administrator administrator = (request, caller) -> {
            asked.add(request);
            return CompletableFuture.completedFuture(new Administrator.Outcome(verdict, "as the leader says"));
        };
        ApiRouter router = new ApiRouter(new ApiServer.Answers(
                TestingViews::primary,
                Probes.of(TestingViews::primary),
                Founder.none("no"),
                administrator,
                Gatekeeper.readOnly()));

        // When
        ApiRouter.Answer answer = router.change(
                        "/_raft/force-resync?target=" + target, new byte[0], new Caller("admin", Caller.Role.OPERATOR))
                .join();

        // Then
        assertGolden(GOLDEN.resolve(file + ".json"), answer, status);
        assertThat(asked).hasSize(status == 400 || status == 404 ? 0 : 1);
    }

    private static void assertGolden(Path golden, ApiRouter.Answer answer, int status) throws IOException {
        String body = new String(answer.body(), StandardCharsets.UTF_8);
        if (Boolean.getBoolean("quantadb.docs.write")) {
            Files.createDirectories(GOLDEN);
            Files.writeString(golden, body);
        }
        assertThat(answer.status().code()).isEqualTo(status);
        assertThat(body).isEqualTo(Files.readString(golden));
    }
}
