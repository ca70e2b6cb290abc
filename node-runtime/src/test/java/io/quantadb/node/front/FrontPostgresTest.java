package io.quantadb.node.front;

import static io.quantadb.node.front.TestingFront.connect;
import static io.quantadb.node.front.TestingFront.one;
import static io.quantadb.node.front.TestingFront.psql;
import static io.quantadb.node.front.TestingFront.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslProvider;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/** One front before one primary. */
class FrontPostgresTest {
    private static TestingPostgres postgres;
    private static SslContext tls;

    private TestingFront node;

    @BeforeAll
    static void startPostgres() throws IOException {
        tls = TestingTls.server(SslProvider.OPENSSL);
        postgres = TestingPostgres.create(PostgresVersion.V15);
        Files.writeString(
                postgres.dataDirectory().resolve("pg_hba.conf"),
                "local all postgres trust\nlocal replication postgres trust\nlocal all all scram-sha-256\n");
        postgres.start();
        postgres.query("CREATE ROLE alice LOGIN PASSWORD 'secret'");
    }

    @AfterAll
    static void stopPostgres() {
        postgres.close();
    }

    @AfterEach
    void stopFront() {
        node.close();
    }

    @ParameterizedTest
    @EnumSource(
            value = SslProvider.class,
            names = {"JDK", "OPENSSL"})
    void servesPsqlPlainAndWithTls(SslProvider engine) {
        open(TestingTls.server(engine), config -> config).primary(1);
        assertThat(node.psqlPlain("SELECT 41 + 1")).isEqualTo("42");
        assertThat(psql(
                        "host=127.0.0.1 user=postgres dbname=postgres sslmode=require port=" + node.primaryPort(),
                        "-c",
                        "SELECT 1"))
                .isEqualTo("1");
    }

    @ParameterizedTest
    @EnumSource(
            value = SslProvider.class,
            names = {"JDK", "OPENSSL"})
    void servesDirectTls(SslProvider engine) throws SQLException {
        open(TestingTls.server(engine), config -> config.withRequireTls(true)).primary(1);
        try (Connection c = connect(node.localPort(), "sslmode", "require", "sslNegotiation", "direct")) {
            assertThat(one(c, "SELECT 'direct'")).isEqualTo("direct");
        }
        assertThatThrownBy(() -> connect(node.localPort())).hasMessageContaining("TLS only");
    }

    @Test
    void showsEachClientTheCertificateOfThatMoment() throws Exception {
        // Given
        AtomicReference<SslContext> present = new AtomicReference<>(TestingTls.server("first"));
        node = new TestingFront(
                "a",
                postgres.socket(),
                new NoPeers(),
                present::get,
                config -> config,
                new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory()));
        assertThat(TestingTls.subjectShown(node.localPort())).isEqualTo("CN=first");

        // When
        present.set(TestingTls.server("renewed"));

        // Then
        assertThat(TestingTls.subjectShown(node.localPort())).isEqualTo("CN=renewed");
        assertThat(TestingTls.subjectShown(node.primaryPort())).isEqualTo("CN=renewed");
    }

    @Test
    void passesScramThroughAndPostgresqlsOwnRefusal() {
        open(tls, config -> config).primary(1);
        String alice = "host=127.0.0.1 user=alice dbname=postgres sslmode=require port=" + node.localPort();
        assertThat(psql(alice + " password=secret", "-c", "SELECT current_user"))
                .isEqualTo("alice");
        assertThat(psql(alice + " password=wrong", "-c", "SELECT 1")).contains("password authentication failed");
        assertThat(psql(alice + " password=secret channel_binding=require", "-c", "SELECT 1"))
                .contains("channel binding");
    }

    @Test
    void worksOnNioToo() throws SQLException {
        node = new TestingFront(
                "a",
                postgres.socket(),
                new NoPeers(),
                null,
                config -> config,
                new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory()));
        node.primary(1);
        try (Connection c = connect(node.localPort())) {
            assertThat(one(c, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void keepsALargeResultInPostgresqlWhileItsReaderIsSlow() throws Exception {
        // Given
        open(null, config -> config).primary(1);
        long rows = 50_000;
        long before = PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
        try (Connection c = connect(node.localPort())) {
            String pid = one(c, "SELECT pg_backend_pid()");
            var copy = c.unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyOut("COPY (SELECT repeat('x', 1000) FROM generate_series(1, " + rows + ")) TO STDOUT");
            // When nobody reads
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(value("SELECT wait_event FROM pg_stat_activity WHERE pid = " + pid))
                            .isEqualTo("ClientWrite"));
            // Then
            assertThat(PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory() - before)
                    .isLessThan(24L << 20);
            long bytes = 0;
            for (byte[] row = copy.readFromCopy(); row != null; row = copy.readFromCopy()) {
                bytes += row.length;
            }
            assertThat(bytes).isEqualTo(rows * 1001);
        }
    }

    @Test
    void cancelsAStatementButNotOneThatWaitsForAcknowledgement() throws Exception {
        // Given
        open(null, config -> config).primary(1);
        try (Connection c = connect(node.primaryPort());
                var statement = c.createStatement()) {
            String pid = one(c, "SELECT pg_backend_pid()");
            var sleeping = async(() -> statement.execute("SELECT pg_sleep(30)"));
            awaitSleep(pid);
            node.waits.set(true);
            c.unwrap(PGConnection.class).cancelQuery();
            assertThat(node.asked).hasValue(1);
            assertThat(sleeping).isNotDone();
            // When
            node.waits.set(false);
            c.unwrap(PGConnection.class).cancelQuery();
            // Then
            await().untilAsserted(() -> assertThat(sleeping).isCompletedExceptionally());
            assertThat(one(c, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void doesNotForwardAResultThatComesWhileTheLeaseIsOut() throws Exception {
        // Given
        open(null, config -> config).primary(1);
        try (Connection c = connect(node.localPort())) {
            String pid = one(c, "SELECT pg_backend_pid()");
            var answer = async(() -> one(c, "SELECT 'late' FROM pg_sleep(0.3)"));
            awaitSleep(pid);
            // When
            node.lease.set(false);
            await().until(() -> node.front.sessions().held(), held -> held == 1);
            // Then
            assertThat(answer).isNotDone();
            node.lease.set(true);
            await().untilAsserted(() -> assertThat(answer).isCompletedWithValue("late"));
        }
    }

    @Test
    void forwardsNothingThatItFindsAfterAPause() throws Exception {
        // Given an agent that stops while PostgreSQL works
        node = new TestingFront(
                "a",
                postgres.socket(),
                new NoPeers(),
                null,
                config -> config,
                new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory()));
        node.primary(1);
        try (Connection c = connect(node.localPort())) {
            String pid = one(c, "SELECT pg_backend_pid()");
            var answer = async(() -> one(c, "SELECT 'late' FROM pg_sleep(0.3)"));
            awaitSleep(pid);
            var resume = new CountDownLatch(1);
            node.group.execute(() -> {
                try {
                    resume.await(20, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            await().until(() -> value("SELECT state FROM pg_stat_activity WHERE pid = " + pid), "idle"::equals);
            // When it goes on, and its time is over
            node.lease.set(false);
            resume.countDown();
            await().until(() -> node.front.sessions().held(), held -> held == 1);
            node.front.setView(FrontView.standby(null));
            // Then
            await().untilAsserted(() -> assertThat(answer).isCompletedExceptionally());
            assertThatThrownBy(answer::get).hasMessageContaining("no longer the primary");
        }
    }

    @Test
    void cutsSessionsWhenTheLeaseStaysOut() throws Exception {
        // Given
        open(
                        null,
                        config -> config.withLimits(config.limits()
                                .withHolds(Duration.ofMillis(200), Duration.ofSeconds(1), Duration.ofSeconds(1))))
                .primary(1);
        try (Connection c = connect(node.localPort())) {
            // When
            node.lease.set(false);
            // Then
            await().until(() -> node.front.sessions().total(), total -> total == 0);
            node.lease.set(true);
            assertThatThrownBy(() -> one(c, "SELECT 1")).hasMessageContaining("no longer the primary");
        }
    }

    @Test
    void cutsEverythingOnAFenceAndThenAnswersWithWords() throws Exception {
        // Given
        open(null, config -> config.withLimits(config.limits().withWaiting(10, Duration.ofMillis(300))))
                .primary(1);
        try (Connection idle = connect(node.localPort());
                Connection busy = connect(node.primaryPort())) {
            String pid = one(busy, "SELECT pg_backend_pid()");
            var answer = async(() -> one(busy, "SELECT pg_sleep(2)"));
            awaitSleep(pid);
            // When
            node.front.fence("Another node was promoted.").get(2, TimeUnit.SECONDS);
            // Then
            await().untilAsserted(() -> assertThat(answer).isCompletedExceptionally());
            assertThatThrownBy(() -> one(idle, "SELECT 1")).hasMessageContaining("no longer the primary");
            assertThatThrownBy(() -> connect(node.primaryPort()))
                    .hasMessageContaining("no primary is available right now")
                    .extracting(e -> ((PSQLException) e).getSQLState())
                    .isEqualTo("57P03");
            await().until(() -> node.front.sessions().total(), n -> n == 0);
        }
    }

    @Test
    void holdsANewConnectionUntilThereIsAPrimary() throws Exception {
        // Given
        open(null, config -> config);
        var connecting = async(() -> {
            try (Connection c = connect(node.primaryPort())) {
                return one(c, "SELECT 'served'");
            }
        });
        await().until(() -> node.front.sessions().starting(), n -> n == 1);
        // When
        node.primary(1);
        // Then
        await().untilAsserted(() -> assertThat(connecting).isCompletedWithValue("served"));
    }

    @Test
    void refusesWhatTheClusterReserves() throws Exception {
        open(null, config -> config).primary(1);
        assertThatThrownBy(() -> connect(node.localPort(), "user", "quantadb"))
                .hasMessageContaining("belongs to the cluster");
        assertThatThrownBy(() -> connect(node.localPort(), "options", "-c synchronous_commit=off"))
                .hasMessageContaining("may not be lowered");
        assertThat(psql(
                        "host=127.0.0.1 user=postgres dbname=postgres replication=database port=" + node.localPort(),
                        "-c",
                        "SET application_name = 'quantadb_voice'",
                        "-c",
                        "SELECT 'still here'"))
                .doesNotContain("still here");
        try (Connection c = connect(node.localPort())) {
            assertThatThrownBy(() -> run(c, "SET synchronous_commit TO off"))
                    .hasMessageContaining("may not be lowered")
                    .extracting(e -> ((PSQLException) e).getSQLState())
                    .isEqualTo("42501");
            assertThat(one(c, "SHOW synchronous_commit")).isEqualTo("on");
        }
    }

    @Test
    void limitsConnectionsInAllAndPerUser() throws Exception {
        open(null, config -> config.withLimits(config.limits().withSessions(2, 1)))
                .primary(1);
        try (Connection first = connect(node.localPort())) {
            assertThatThrownBy(() -> connect(node.localPort()))
                    .hasMessageContaining("too many clients")
                    .extracting(e -> ((PSQLException) e).getSQLState())
                    .isEqualTo("53300");
            assertThat(one(first, "SELECT 1")).isEqualTo("1");
        }
        await().until(() -> node.front.sessions().total(), n -> n == 0);
        assertThat(node.psqlPlain("SELECT 1")).isEqualTo("1");
    }

    @Test
    void saysWhichPortIsTaken() throws Exception {
        open(null, config -> config);
        var taken = new InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), node.primaryPort());
        var any = new InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), 0);
        try (var other = new SqlFront(
                FrontConfig.of(node.self, any, taken, postgres.socket()),
                node.group,
                node.peers,
                null,
                _ -> true,
                _ -> false,
                _ -> {},
                System::nanoTime)) {
            assertThatThrownBy(other::start)
                    .isInstanceOf(LocalFault.class)
                    .hasMessageContaining(":" + node.primaryPort())
                    .hasMessageContaining("SQL port + 4000");
        }
    }

    private TestingFront open(SslContext context, UnaryOperator<FrontConfig> change) {
        node = new TestingFront(
                "a",
                postgres.socket(),
                new NoPeers(),
                context == null ? null : () -> context,
                change,
                new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory()));
        return node;
    }

    private static void awaitSleep(String pid) {
        await().pollInterval(Duration.ofMillis(10))
                .until(() -> value("SELECT wait_event FROM pg_stat_activity WHERE pid = " + pid), "PgSleep"::equals);
    }

    @Test
    void waitsForATransactionThatDoesSomethingAndNotForOneWhoseClientSaysNothing() throws Exception {
        // Given: a transaction waits for a lock that is not the front's, another for its client
        open(tls, config -> config).primary(1);
        try (var holder = postgres.connect();
                Connection idle = connect(node.primaryPort());
                Connection busy = connect(node.primaryPort())) {
            holder.query("SELECT pg_advisory_lock(7)", TestingPostgres.WAIT);
            idle.setAutoCommit(false);
            one(idle, "SELECT 1");
            CompletableFuture<String> working = async(() -> one(busy, "SELECT 'got' FROM pg_advisory_lock(7)"));
            await().atMost(TestingPostgres.WAIT)
                    .until(
                            () -> value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"),
                            "1"::equals);

            // When
            CompletableFuture<Void> drained = node.front.drain(Duration.ofMillis(20));

            // Then
            assertThat(drained).isNotDone();
            holder.query("SELECT pg_advisory_unlock(7)", TestingPostgres.WAIT);
            assertThat(working.get(30, TimeUnit.SECONDS)).isEqualTo("got");
            drained.get(30, TimeUnit.SECONDS);
            node.front.resume();
            assertThat(one(idle, "SELECT 'goes on'")).isEqualTo("goes on");
        }
    }

    private static String value(String sql) {
        return postgres.query(sql).singleOrNull();
    }

    static <T> CompletableFuture<T> async(java.util.concurrent.Callable<T> work) {
        var done = new CompletableFuture<T>();
        Thread.ofVirtual().start(() -> {
            try {
                done.complete(work.call());
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }
}
