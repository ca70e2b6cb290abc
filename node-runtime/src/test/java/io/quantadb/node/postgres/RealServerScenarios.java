package io.quantadb.node.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.wal.ControlFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * What is promised of a server, shown on a real one. The tests of one version share a cluster and run in order, since a
 * cluster takes longer to make than most of them.
 */
@Tag("postgres")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class RealServerScenarios {
    private static final int SIGSTOP = 19;

    private final Path scratch = TestingNode.scratch();
    private PostgresBinaries binaries;
    private TestingNode primary;
    private TestingNode standby;
    private TestingNode follower;

    abstract BinaryFinder.Wanted wanted();

    /** Where bundles are searched. */
    Path mavenRepository() {
        return scratch;
    }

    @BeforeAll
    void makeACluster() throws IOException {
        binaries = new BinaryFinder(scratch.resolve("cache"), mavenRepository()).find(wanted(), TestingNode.USER);
        primary = node("a", 5501, "none", 5599);
        Path password = Files.writeString(scratch.resolve("password"), "o'hara\\");
        new Bootstrap(binaries, TestingNode.USER, primary.config.privateDirectory())
                .create(
                        primary.directory,
                        new Bootstrap.Wanted(
                                "boss", password, 16, new Bootstrap.Application("shop", "keeper", password)));
    }

    @AfterAll
    void removeEverything() throws IOException {
        for (TestingNode node : new TestingNode[] {primary, standby, follower}) {
            if (node != null) {
                node.close();
            }
        }
        DirectoryTree.delete(scratch);
    }

    @Test
    @Order(1)
    void startsWithTheOwnedSettingsWhateverAlterSystemSays() {
        // Given
        primary.startAndAwait(StartMode.PRIMARY);
        primary.sql("ALTER SYSTEM SET fsync = off");
        primary.sql("SELECT pg_reload_conf()");

        // When
        String owned = primary.sql("SELECT string_agg(current_setting(s), '|') FROM unnest(ARRAY['fsync',"
                + "'full_page_writes','wal_log_hints','synchronous_standby_names','restart_after_crash',"
                + "'listen_addresses','wal_retrieve_retry_interval','data_checksums','shared_buffers']) s");

        // Then
        assertThat(owned).isEqualTo("on|on|on|ANY 1 (quantadb_voice)|off||20ms|on|16MB");
        assertThat(primary.ready).containsExactly(StartMode.PRIMARY);
        assertThat(primary.sql("SELECT datname || ' of ' || rolname FROM pg_database d JOIN pg_roles r"
                        + " ON r.oid = datdba WHERE datname = 'shop'"))
                .isEqualTo("shop of keeper");
        assertThat(primary.sql("SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolsuper"))
                .isEqualTo("boss,quantadb");
        assertThat(primary.sql("SELECT count(*) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256%'"))
                .isEqualTo("2");
        assertThat(primary.sql("SELECT has_function_privilege('keeper', 'pg_cancel_backend(integer)', 'execute')"))
                .isEqualTo("f");
        assertThat(primary.server.sessions().isInRecovery()).isFalse();
        assertThat(primary.directory.inspect(binaries.major(), null)).isInstanceOf(DirectoryContents.Cluster.class);
    }

    @Test
    @Order(2)
    void admitsNobodyWithoutAPasswordExceptTheAgent() {
        assertThatThrownBy(() -> PgConnection.connect(
                        primary.config.socket(),
                        java.util.Map.of("user", "boss", "database", "postgres"),
                        TestingNode.DEADLINE))
                .hasMessageContaining("10"); // asks for SASL
    }

    @Test
    @Order(3)
    void seesAProbeCommitWaitAndTheCancelledWaitInTheLog() {
        // Given
        try (CommitProbe probe = primary.server.probeCommit()) {
            Boolean waits = probe.awaitWaiting(TestingNode.DEADLINE);

            // When
            primary.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");

            // Then
            assertThat(waits).isTrue();
            await().untilAsserted(() -> assertThat(primary.cancelledWaits).hasSize(1));
            assertThat(probe.finished().join()).isTrue();
        }
    }

    @Test
    @Order(4)
    void tellsAKillWithinMillisecondsAndLeavesNoOrphan() {
        // Given
        primary.sql("CREATE TABLE kept AS SELECT 1 AS id");
        long stuck = new ServerProcesses(primary.config.dataDirectory())
                .list().stream()
                        .filter(pid -> pid != primary.server.pid())
                        .findFirst()
                        .orElseThrow();
        Signals.send(stuck, SIGSTOP);
        long before = System.nanoTime();

        // When
        Signals.send(primary.server.pid(), Signals.KILL);

        // Then
        await().untilAsserted(() -> assertThat(primary.exits).hasSize(1));
        assertThat(Duration.ofNanos(primary.exitNanos.getFirst() - before)).isLessThan(Duration.ofSeconds(2));
        assertThat(primary.exits.getFirst().how()).isEqualTo("ended by signal 9");
        assertThat(primary.exits.getFirst().asked()).isFalse();
        primary.server.awaitGone(TestingNode.DEADLINE);
        assertThat(new ServerProcesses(primary.config.dataDirectory()).list()).isEmpty();
    }

    @Test
    @Order(5)
    void startsInPlaceAfterACrashAndEndsTheServerOfAnEarlierAgent() {
        // Given
        primary.startAndAwait(StartMode.PRIMARY);
        var next = node("a", 5501, "none", 5599);

        // When
        next.startAndAwait(StartMode.PRIMARY);

        // Then
        assertThat(primary.server.isRunning()).isFalse();
        assertThat(next.sql("SELECT count(*) FROM kept")).isEqualTo("1");
        assertThat(next.server.stop(StopMode.FAST, TestingNode.DEADLINE).clean())
                .isTrue();
        assertThat(next.exits).singleElement().matches(ServerExit::asked);
    }

    @Test
    @Order(6)
    void followsAPrimaryAndIsPromotedOverAGapOfTimelines() throws Exception {
        // Given
        copyData("a", "b");
        copyData("a", "c");
        primary.startAndAwait(StartMode.PRIMARY);
        standby = node("b", 5502, "a/s", 5501);
        standby.startAndAwait(StartMode.STANDBY);
        primary.sql("INSERT INTO kept VALUES (2)");
        Lsn written = primary.server.sessions().flushLsn();
        await().untilAsserted(
                        () -> assertThat(standby.server.sessions().replayLsn().atLeast(written))
                                .isTrue());
        Signals.send(primary.server.pid(), Signals.KILL);

        // When
        Promotion promotion = standby.server.promote(4, TestingNode.DEADLINE);

        // Then
        assertThat(promotion.timeline()).isEqualTo(4);
        assertThat(promotion.parentTimeline()).isEqualTo(1);
        assertThat(promotion.forkLsn().atLeast(written)).isTrue();
        assertThat(promotion.firstRecordEnd().compareTo(promotion.forkLsn())).isPositive();
        assertThat(standby.sql("SELECT count(*) FROM kept")).isEqualTo("2");
        assertThat(history("b", 2)).isEmptyFile();
        assertThat(history("b", 3)).isEmptyFile();
        assertThat(history("b", 4)).isNotEmptyFile();
    }

    @Test
    @Order(7)
    void aStandbyOfTheOldTimelineFollowsOverTheGapAndRestarts() {
        // Given
        standby.sql("INSERT INTO kept VALUES (3)");
        Lsn written = standby.server.sessions().flushLsn();
        follower = node("c", 5503, "b/s", 5502);

        // When
        follower.startAndAwait(StartMode.STANDBY);

        // Then
        await().atMost(TestingNode.DEADLINE)
                .untilAsserted(
                        () -> assertThat(follower.server.sessions().replayLsn().atLeast(written))
                                .isTrue());
        assertThat(history("c", 3)).isEmptyFile();
        assertThat(follower.server.stop(StopMode.FAST, TestingNode.DEADLINE).clean())
                .isTrue();
        follower.startAndAwait(StartMode.STANDBY);
        assertThat(follower.sql("SELECT count(*) FROM kept")).isEqualTo("3");
        follower.server.stop(StopMode.FAST, TestingNode.DEADLINE);
    }

    @Test
    @Order(8)
    void anUnfinishedPromotionDoesNotKeepAStandbyFromStarting() {
        // Given
        var timelines = new Timelines(follower.config.dataDirectory(), TestingNode.USER);
        int own = Math.max(4, ControlFile.read(follower.config.dataDirectory()).checkpointTimeline());
        List<Integer> reserved = timelines.reserve(own, own + 3);

        // When
        follower.startAndAwait(StartMode.STANDBY);
        Promotion promotion = follower.server.promote(9, TestingNode.DEADLINE);

        // Then
        assertThat(reserved).containsExactly(5, 6);
        assertThat(promotion.timeline()).isEqualTo(9);
        assertThat(promotion.parentTimeline()).isEqualTo(4);
        assertThatThrownBy(() -> follower.server.promote(10, Duration.ofSeconds(5)))
                .hasMessageContaining("it must not serve");
    }

    @Test
    @Order(9)
    void aServerDiesWithItsAgentAndTheNextAgentStartsIt() throws Exception {
        // Given
        follower.server.stop(StopMode.FAST, TestingNode.DEADLINE);
        Process agent = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        DyingAgent.class.getName(),
                        scratch.toString(),
                        binaries.binDir().toString(),
                        Integer.toString(binaries.major()),
                        "c")
                .redirectErrorStream(true)
                .start();
        long pid = agent.inputReader()
                .lines()
                .filter(line -> line.startsWith("server "))
                .mapToLong(line -> Long.parseLong(line.substring(7)))
                .findFirst()
                .orElseThrow();

        // When
        agent.destroyForcibly().waitFor();

        // Then
        assumeTrue(TestingNode.USER.setpriv().isPresent(), "no setpriv here: a server outlives its agent");
        await().untilAsserted(() ->
                assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty());
        follower.startAndAwait(StartMode.PRIMARY);
        assertThat(follower.sql("SELECT count(*) FROM kept")).isEqualTo("3");
    }

    @Test
    @Order(10)
    void refusesOtherDataUntouchedAndWipesOnlyAfterANewGeneration() {
        // Given
        standby.server.stop(StopMode.FAST, TestingNode.DEADLINE);

        // When
        DirectoryContents otherMajor = standby.directory.inspect(binaries.major() + 1, null);
        DirectoryContents otherCluster = standby.directory.inspect(binaries.major(), 42L);
        standby.directory.giveUp(7);
        DirectoryContents givenUp = standby.directory.inspect(binaries.major(), null);
        boolean kept = Files.exists(standby.directory.path().resolve("PG_VERSION"));
        standby.directory.wipeForClone(7);

        // Then
        assertThat(otherMajor).asString().contains("was made by PostgreSQL " + binaries.major());
        assertThat(otherCluster).asString().contains("belongs to another cluster");
        assertThat(givenUp).isInstanceOf(DirectoryContents.Incomplete.class);
        assertThat(kept).isTrue();
        assertThat(standby.directory.inspect(binaries.major(), 42L)).isInstanceOf(DirectoryContents.Empty.class);
        assertThatThrownBy(() -> standby.directory.giveUp(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> standby.directory.wipeForClone(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Order(11)
    void aServerThatStandsStillAnswersNothingAndIsKilledThoughAQuestionIsOpen() {
        // Given
        LifeSign sign = new LifeSign(follower.server, TestingNode.DEADLINE);
        boolean before = sign.answers();
        List<Long> all = new ServerProcesses(follower.config.dataDirectory()).list();
        all.forEach(pid -> Signals.send(pid, SIGSTOP));
        CompletableFuture<Boolean> meanwhile = CompletableFuture.supplyAsync(sign::answers);

        // When
        PostgresServer.Stopped stopped = follower.server.stop(StopMode.IMMEDIATE, Duration.ofMillis(100));

        // Then
        assertThat(before).isTrue();
        assertThat(meanwhile.join()).isFalse();
        assertThat(stopped.clean()).isFalse();
        assertThat(follower.server.answeringPid()).isZero();
        assertThat(new ServerProcesses(follower.config.dataDirectory()).list()).isEmpty();

        // And when another server runs, and again another
        for (int i = 0; i < 2; i++) {
            follower.startAndAwait(StartMode.PRIMARY);

            // Then
            assertThat(sign.answers())
                    .as("the session with the one before is dead")
                    .isTrue();
            follower.server.stop(StopMode.FAST, TestingNode.DEADLINE);
        }
        assertThat(sign.answers()).as("none runs").isFalse();
        sign.close();
    }

    @Test
    @Order(12)
    void aStopThatOverrunsItsDeadlineKillsEveryProcess() {
        // Given
        follower.startAndAwait(StartMode.PRIMARY);
        Signals.send(follower.server.pid(), SIGSTOP);

        // When
        PostgresServer.Stopped stopped = follower.server.stop(StopMode.FAST, Duration.ofMillis(100));

        // Then
        assertThat(stopped.clean()).isFalse();
        assertThat(new ServerProcesses(follower.config.dataDirectory()).list()).isEmpty();
        assertThat(follower.exits.getLast().how()).isEqualTo("ended by signal 9");
    }

    @Test
    @Order(13)
    void aStartThatFailsTellsWhatTheServerSaid() throws IOException {
        // Given
        Files.delete(follower.config.dataDirectory().resolve("PG_VERSION"));

        // When, Then
        assertThatThrownBy(() -> follower.startAndAwait(StartMode.PRIMARY))
                .hasMessageContaining("ended while it was starting")
                .hasMessageContaining("PG_VERSION");
    }

    @Test
    @Order(14)
    void anUnfinishedBootstrapIsKnownAgainAndMayBeDiscardedOnce() {
        // Given
        var directory = new DataDirectory(scratch.resolve("d/data"), TestingNode.USER);
        new Bootstrap(binaries, TestingNode.USER, scratch.resolve("d/conf"))
                .create(directory, new Bootstrap.Wanted("postgres", null, 1, null));
        DirectoryContents whole = directory.inspect(binaries.major(), null);
        directory.unfinished();

        // When
        DirectoryContents unfinished = directory.inspect(binaries.major(), null);
        directory.discardUnfinished();

        // Then
        assertThat(whole)
                .isInstanceOfSatisfying(
                        DirectoryContents.Cluster.class,
                        cluster ->
                                assertThat(cluster.control().walSegmentBytes()).isEqualTo(1 << 20));
        assertThat(unfinished).isEqualTo(new DirectoryContents.Incomplete());
        assertThat(directory.inspect(binaries.major(), null)).isEqualTo(new DirectoryContents.Empty());
        assertThatThrownBy(directory::discardUnfinished).hasMessageContaining("is not an unfinished one");
    }

    private TestingNode node(String name, int port, String upstream, int upstreamPort) {
        return new TestingNode(binaries, scratch.resolve(name), port, scratch.resolve(upstream), upstreamPort);
    }

    private Path history(String name, int timeline) {
        return scratch.resolve(name).resolve("data/pg_wal/%08X.history".formatted(timeline));
    }

    private void copyData(String from, String to) throws IOException {
        Files.createDirectories(scratch.resolve(to));
        ToolRun run = ToolRun.of(
                List.of(
                        "cp",
                        "-a",
                        scratch.resolve(from).resolve("data").toString(),
                        scratch.resolve(to).toString()),
                TestingNode.DEADLINE);
        assertThat(run.exitCode()).isZero();
    }
}
