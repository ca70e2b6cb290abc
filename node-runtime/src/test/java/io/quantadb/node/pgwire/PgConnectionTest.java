package io.quantadb.node.pgwire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.Indeterminate;
import io.quantadb.node.pgwire.ReplicationMessage.StandbyStatus;
import io.quantadb.node.pgwire.ReplicationMessage.XLogData;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PgConnectionTest {
    private static final Duration WAIT = TestingPostgres.WAIT;
    private final Map<PostgresVersion, TestingPostgres> servers = new EnumMap<>(PostgresVersion.class);

    @BeforeAll
    void start() {
        for (PostgresVersion version : PostgresVersion.values()) {
            servers.put(version, TestingPostgres.create(version).start());
        }
    }

    @AfterAll
    void stop() {
        servers.values().forEach(TestingPostgres::close);
    }

    private TestingPostgres server(PostgresVersion version) {
        return servers.get(version);
    }

    @ParameterizedTest
    @EnumSource
    void runsStatementsAndSurvivesErrors(PostgresVersion version) {
        try (PgConnection c = server(version).connect()) {
            // Given
            List<String> notices = new ArrayList<>();
            c.onNotice(notice -> notices.add(notice.message()));

            // When
            List<QueryResult> results = c.queryAll("SELECT 1 AS a, NULL AS b; SELECT 'x' WHERE false; ", WAIT);
            c.query("DO $$ BEGIN RAISE NOTICE 'hello'; END $$", WAIT);

            // Then
            assertThat(results).hasSize(2);
            assertThat(results.get(0).value(0, "a")).isEqualTo("1");
            assertThat(results.get(0).value(0, "b")).isNull();
            assertThat(results.get(1).singleOrNull()).isNull();
            assertThat(notices).containsExactly("hello");
            assertThatThrownBy(() -> c.query("SELECT 1/0", WAIT))
                    .isInstanceOfSatisfying(
                            PgError.class, e -> assertThat(e.sqlState()).isEqualTo("22012"));
            assertThat(c.query("SELECT 2", WAIT).single()).isEqualTo("2");
            assertThat(c.query("", WAIT).rows()).isEmpty();
            assertThat(c.query("SELECT repeat('x', 300000)", WAIT).single()).hasSize(300_000);
            assertThat(c.parameters()).containsEntry("server_encoding", "UTF8");
            assertThat(c.backendPid()).isPositive();
        }
    }

    @Test
    void cancelsWhatRuns() {
        try (PgConnection c = server(PostgresVersion.V15).connect()) {
            // Given
            CompletableFuture<Object> outcome = CompletableFuture.supplyAsync(() -> {
                try {
                    return c.query("SELECT pg_sleep(60)", Duration.ofSeconds(50));
                } catch (PgError e) {
                    return e.sqlState();
                }
            });
            await().until(() -> "1"
                    .equals(server(PostgresVersion.V15)
                            .query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
                            .single()));

            // When
            c.cancel(WAIT);

            // Then
            assertThat(outcome.join()).isEqualTo(SqlState.QUERY_CANCELED);
        }
    }

    @Test
    void givesUpWhenTheDeadlinePasses() {
        try (PgConnection c = server(PostgresVersion.V18).connect()) {
            // When
            assertThatThrownBy(() -> c.query("SELECT pg_sleep(60)", Duration.ofMillis(100)))
                    // Then
                    .isInstanceOf(Indeterminate.class)
                    .hasMessageContaining("within 100 ms");
            assertThat(c.isOpen()).isFalse();
        }
    }

    @Test
    void worksOverAnyChannelAndOnAVirtualThread() throws Exception {
        // Given
        TestingPostgres server = server(PostgresVersion.V15);
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(server.socket()));
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        AtomicReference<String> answer = new AtomicReference<>("");

        // When
        Thread thread = Thread.ofVirtual().start(() -> {
            try (PgConnection c = PgConnection.over(channel, Map.of("user", "postgres"), WAIT)) {
                answer.set(c.query("SELECT current_database()", WAIT).single());
                c.query("SELECT pg_sleep(60)", Duration.ofMillis(50));
            } catch (RuntimeException e) {
                outcome.complete(e);
            }
        });

        // Then
        assertThat(outcome.get(30, TimeUnit.SECONDS)).isInstanceOf(Indeterminate.class);
        assertThat(answer).hasValue("postgres");
        assertThat(thread.join(WAIT)).isTrue();
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void saysWhenNoSessionCameAbout(@TempDir Path dir) throws Exception {
        // Given
        Path silent = dir.resolve("silent");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(silent));

            // When
            assertThatThrownBy(() -> PgConnection.connect(dir.resolve("none"), Map.of("user", "a"), WAIT))
                    .isInstanceOf(PgUnreachable.class);
            assertThatThrownBy(() -> PgConnection.connect(silent, Map.of("user", "a"), Duration.ofMillis(100)))
                    .isInstanceOf(PgUnreachable.class);
        }
        assertThatThrownBy(() -> server(PostgresVersion.V15).connect(Map.of("database", "nothing")))
                // Then
                .isInstanceOfSatisfying(
                        PgError.class, e -> assertThat(e.sqlState()).isEqualTo(SqlState.INVALID_CATALOG_NAME));
    }

    @ParameterizedTest
    @EnumSource
    void streamsWalWhileAnotherThreadReports(PostgresVersion version) {
        try (PgConnection c = server(version).connectReplication()) {
            // Given
            QueryResult identity = c.query("IDENTIFY_SYSTEM", WAIT);
            Lsn start = Lsn.parse(String.valueOf(identity.value(0, "xlogpos")));
            CopyBoth stream = c.copyBoth("START_REPLICATION PHYSICAL %s TIMELINE 1".formatted(start), WAIT);
            CompletableFuture<Lsn> written = CompletableFuture.supplyAsync(() -> {
                server(version).query("CREATE TABLE w%d AS SELECT 1".formatted(version.major()));
                Lsn end = Lsn.parse(server(version)
                        .query("SELECT pg_current_wal_flush_lsn()")
                        .single());
                stream.send(new StandbyStatus(end, end, Lsn.NONE, 0, true), WAIT);
                return end;
            });

            // When
            Lsn received = start;
            while (!written.isDone() || received.compareTo(written.join()) < 0) {
                if (stream.next(WAIT) instanceof XLogData wal) {
                    assertThat(wal.start()).isEqualTo(received);
                    received = wal.end();
                }
            }

            // Then
            assertThat(received).isGreaterThanOrEqualTo(written.join());
            await().untilAsserted(() -> assertThat(server(version)
                            .query("SELECT max(flush_lsn) FROM pg_stat_replication")
                            .single())
                    .isEqualTo(written.join().toString()));
        }
    }
}
